import Contracts

extension ContractPlan {
    /// Indexes of the fields bound to the parameters of mapper `sale`, and columns of its lists; -1 where none is.
    struct SaleFields: Sendable {
        let document: Int, occurredAt: Int, store: Int, customer: Int, customerName: Int, country: Int, currency: Int
        let status: Int, paymentStatus: Int, total: Int, version: Int, cashier: Int, paymentMethod: Int, paid: Int
        let bonusPayment: Int, bonusGranted: Int, loyaltyPoints: Int
        let receiptID: Int, receiptAt: Int, receiptTotal: Int, receiptPaymentMethod: Int, receiptDocument: Int
        let lines: Int, product: Int, description: Int, quantity: Int, unitPrice: Int, lineTotal: Int
        let statuses: Int, historyStatus: Int, historyAt: Int

        init(_ bindings: [String: FieldReference]) {
            func index(_ parameter: String) -> Int { bindings[parameter]?.field ?? -1 }
            func column(_ parameter: String) -> Int { bindings[parameter]?.column ?? -1 }
            document = index("document")
            occurredAt = index("occurred_at")
            store = index("store")
            customer = index("customer")
            customerName = index("customer_name")
            country = index("country")
            currency = index("currency")
            status = index("status")
            paymentStatus = index("payment_status")
            total = index("reported_total")
            version = index("version")
            cashier = index("cashier")
            paymentMethod = index("payment_method")
            paid = index("paid")
            bonusPayment = index("bonus_payment")
            bonusGranted = index("bonus_granted")
            loyaltyPoints = index("loyalty_points")
            receiptID = index("receipt.id")
            receiptAt = index("receipt.at")
            receiptTotal = index("receipt.total")
            receiptPaymentMethod = index("receipt.payment_method")
            receiptDocument = index("receipt.document")
            lines = index("lines.product")
            product = column("lines.product")
            description = column("lines.description")
            quantity = column("lines.quantity")
            unitPrice = column("lines.unit_price")
            lineTotal = column("lines.reported_total")
            statuses = index("statuses.status")
            historyStatus = column("statuses.status")
            historyAt = column("statuses.at")
        }
    }
}
