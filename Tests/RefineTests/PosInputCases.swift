import Primitives
import RetailModel
import Testing

extension PosInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let old: String
        let new: String
        /// Reasons as `field: message`; empty: accepted.
        var messages: [String] = []
        /// What the compatible contract says; nil: the same.
        var compatible: [String]?
        var flags: DocumentFlags = []
        var check: @Sendable (SaleEvent) -> Bool = { _ in true }

        init(
            _ name: String,
            _ old: String,
            _ new: String,
            _ messages: [String] = [],
            compatible: [String]? = nil,
            flags: DocumentFlags = [],
            check: @escaping @Sendable (SaleEvent) -> Bool = { _ in true }
        ) {
            testDescription = name
            (self.old, self.new, self.messages, self.compatible) = (old, new, messages, compatible)
            (self.flags, self.check) = (flags, check)
        }
    }

    static let store = "store_id: Store ID must be in the format STORE_01 to STORE_10"
    static let cashier = "cashier_id: Cashier ID must be in the format CASHIER_1 to CASHIER_8"

    static let cases: [Case] = [
        Case("the example", "", "") {
            $0.header.document == "11111111-1111-4111-8111-111111111111" && $0.header.store == "STORE_1"
                && $0.header.cashier == "CASHIER_1" && $0.header.customer == "CUSTOMER_7"
                && $0.header.paymentMethod == "cash" && $0.header.loyaltyPoints == 3 && $0.header.status == .closed
                && $0.header.reportedTotal == nil && $0.header.currency.description == "EUR"
                && $0.header.occurredAt.description == "2024-12-19T18:42:24.008Z" && $0.header.versionAt == 0
                && $0.header.traits == .windowed && $0.header.requires.isEmpty && $0.header.source == "pos"
                && $0.header.receipt
                    == .init(
                        id: "r1",
                        at: 1_733_011_200_000_000,
                        total: 457_000,
                        paymentMethod: "cash",
                        document: "22222222-2222-4222-8222-222222222222"
                    )
                && $0.lines.map(\.product) == ["Milch - 1L", "Brot"] && $0.lines.map(\.amount) == [258_000, 199_000]
                && $0.lines.map(\.description) == ["Milch - 1L", "Brot"]
                && $0.lines.allSatisfy { $0.reportedAmount == nil && $0.flags == [] && $0.kind == .gross }
                && $0.header.window
                    == WindowPolicy(length: 10_000_000, lateness: 10_000_000, idle: 30_000_000, skew: 60_000_000)
        },
        Case("STORE_01", "STORE_1", "STORE_01") { $0.header.store == "STORE_1" && $0.lines[1].store == "STORE_1" },
        Case("STORE_0010", "STORE_1", "STORE_0010") { $0.header.store == "STORE_10" },
        Case("CASHIER_08", "CASHIER_1", "CASHIER_08") { $0.header.cashier == "CASHIER_8" },
        Case("STORE_٣", "STORE_1", "STORE_٣", [store]),
        Case("STORE_²", "STORE_1", "STORE_²", [store]),
        Case("STORE_0", "STORE_1", "STORE_0", [store]),
        Case("STORE_11", "STORE_1", "STORE_11", [store]),
        Case("STORE_ and 40 digits", "STORE_1", "STORE_" + String(repeating: "1", count: 40), [store]),
        Case("store_1", "STORE_1", "store_1", [store]),
        Case("STORE_1 and a space", "STORE_1", "STORE_1 ", [store]),
        Case("CASHIER_9", "CASHIER_1", "CASHIER_9", [cashier]),
        Case("CASHIER_٣", "CASHIER_1", "CASHIER_٣", [cashier]),
        Case(
            "store_id missing",
            "\"store_id\":\"STORE_1\",",
            "",
            ["store_id: store_id is missing; send it with every event"]
        ),
        Case(
            "store_id a number",
            "\"STORE_1\"",
            "1",
            ["store_id: store_id 1 is not a text; send a text in quotes"]
        ),
        Case(
            "total_amount null",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"total_amount\":null,\"payment_method\"",
            ["total_amount: total_amount is null; send a value"]
        ),
        Case(
            "total_amount missing",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"payment_method\"",
            ["total_amount: total_amount is missing; send it with every event"]
        ),
        Case(
            "total_amount a string",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"total_amount\":\"4.57\",\"payment_method\"",
            [
                "total_amount: total_amount \"4.57\" is a text, not a number; send it without quotes or declare "
                    + "accepts: [number_text]"
            ]
        ),
        Case(
            "quantity a string",
            "\"quantity\":2",
            "\"quantity\":\"2\"",
            [
                "items[0].quantity: items[0].quantity \"2\" is a text, not a number; send it without quotes or declare "
                    + "accepts: [number_text]"
            ]
        ),
        Case(
            "item not an object",
            "\"items\":[",
            "\"items\":[7,",
            ["items[0]: items[0] is no object; send an object"]
        ),
        Case("quantity 2.0", "\"quantity\":2", "\"quantity\":2.0") { $0.lines[0].quantity == 2_000 },
        Case(
            "quantity 1.5",
            "\"quantity\":2",
            "\"quantity\":1.5",
            ["items[0].quantity: items[0].quantity 1.5 is not an integer; send a whole number such as 2"]
        ),
        Case(
            "total NaN",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"total_amount\":NaN,\"payment_method\"",
            [
                ": JSON at byte 350: NaN and Infinity are not JSON; send null or leave the field out. Send one JSON object per event"
            ]
        ),
        Case(
            "total Infinity",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"total_amount\":Infinity,\"payment_method\"",
            [
                ": JSON at byte 350: NaN and Infinity are not JSON; send null or leave the field out. Send one JSON object per event"
            ]
        ),
        Case(
            "line total is not quantity × price",
            "\"total_price\":2.58",
            "\"total_price\":2.6",
            flags: .corrected
        ) {
            $0.lines[0].amount == 258_000 && $0.lines[0].reportedAmount == 260_000 && $0.lines[0].flags == .corrected
                && $0.lines[1].reportedAmount == nil && $0.lines[1].flags == [] && $0.header.reportedTotal == nil
        },
        Case("transaction total is not Σ lines", "\"total_amount\":4.57", "\"total_amount\":99.99", flags: .corrected) {
            $0.header.reportedTotal == 9_999_000 && $0.lines.allSatisfy { $0.reportedAmount == nil && $0.flags == [] }
        },
        Case(
            "line total and total wrong alike",
            "\"total_price\":2.58},",
            "\"total_price\":3.58},",
            flags: .corrected
        ) { $0.header.reportedTotal == nil && $0.lines[0].reportedAmount == 358_000 },
        Case(
            "receipt total differs",
            "\"total_amount\":4.57,\n\"payment_method\"",
            "\"total_amount\":4.58,\n\"payment_method\"",
            flags: .receiptDiffers
        ) { $0.header.receipt?.total == 458_000 && $0.header.reportedTotal == nil },
        Case(
            "receipt payment_method differs",
            "\"payment_method\":\"cash\",\"transaction_id\"",
            "\"payment_method\":\"card\",\"transaction_id\"",
            flags: .receiptDiffers
        ) { $0.header.receipt?.paymentMethod == "card" && $0.header.paymentMethod == "cash" },
        Case(
            "loyalty −5",
            "\"loyalty_points_earned\":3",
            "\"loyalty_points_earned\":-5",
            ["loyalty_points_earned: Loyalty points must not be negative"]
        ),
        Case(
            "timestamp yesterday",
            "2024-12-19T18:42:24.008000Z",
            "yesterday",
            [
                "timestamp: timestamp \"yesterday\" is not in any declared format (iso8601); send one of these or declare the "
                    + "sender's format in the contract"
            ]
        ),
        Case(
            "timestamp without offset",
            "2024-12-19T18:42:24.008000Z",
            "2024-12-19T18:42:24.008000",
            [
                "timestamp: timestamp \"2024-12-19T18:42:24.008000\" has no offset from UTC and the contract declares no zone "
                    + "for it; send it with an offset or declare zone in the contract"
            ]
        ),
        Case("timestamp with an offset", "18:42:24.008000Z", "18:42:24.008000+02:00") {
            $0.header.occurredAt.description == "2024-12-19T16:42:24.008Z"
        },
        Case("customer_id empty", "CUSTOMER_7", "") { $0.header.customer == nil && $0.lines[0].customer == nil },
        Case("customer_id with / and >", "CUSTOMER_7", "a/b>c") { $0.header.customer == "a/b>c" },
        Case(
            "customer_id missing",
            "\"customer_id\":\"CUSTOMER_7\",",
            "",
            ["customer_id: customer_id is missing; send it with every event"]
        ),
        Case(
            "customer_id null",
            "\"CUSTOMER_7\"",
            "null",
            ["customer_id: customer_id is null; send a value"]
        ),
        Case("UUID without dashes", "11111111-1111-4111-8111-111111111111", "111111111111411181111111111111AA") {
            $0.header.document == "11111111-1111-4111-8111-1111111111aa"
        },
        Case(
            "no UUID",
            "11111111-1111-4111-8111-111111111111",
            "t1",
            [
                "transaction_id: transaction_id \"t1\" is not a UUID; send 32 hexadecimal digits, with dashes as in 8-4-4-4-12 "
                    + "or without"
            ]
        ),
        Case("extra field", "{\"transaction_id\"", "{\"extra\":{\"a\":[1]},\"transaction_id\""),
        Case("payment_status failure", "\"success\"", "\"failure\"") { $0.header.status == .failed },
        Case("payment_status failed", "\"success\"", "\"failed\"") { $0.header.status == .failed },
        Case(
            "payment_status unknown",
            "\"success\"",
            "\"maybe\"",
            ["payment_status: Invalid payment status: maybe"]
        ),
        Case(
            "payment_method unknown",
            "\"payment_method\":\"cash\",\"payment_status\"",
            "\"payment_method\":\"shells\",\"payment_status\"",
            ["payment_method: Invalid payment method: shells"]
        ),
        Case(
            "quantity 0",
            "\"quantity\":2",
            "\"quantity\":0",
            ["items[0].quantity: Quantity must be positive"]
        ),
        Case(
            "price_per_unit 0",
            "\"price_per_unit\":1.29",
            "\"price_per_unit\":0",
            ["items[0].price_per_unit: Price per unit must be positive"]
        ),
        Case(
            "total_price negative",
            "\"total_price\":1.99",
            "\"total_price\":-1.99",
            ["items[1].total_price: Total price must be positive"]
        ),
        Case(
            "total_amount 0",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"total_amount\":0,\"payment_method\"",
            ["total_amount: Total amount must be positive"]
        ),
        Case(
            "receipt total 0",
            "\"total_amount\":4.57,\n\"payment_method\"",
            "\"total_amount\":0,\n\"payment_method\"",
            ["receipt.total_amount: Total amount must be positive"]
        ),
        Case(
            "item ids equal",
            "\"i2\"",
            "\"i1\"",
            ["items[1].item_id: Item ID must be unique within the transaction"]
        ),
        Case(
            "receipt missing",
            "\"receipt\":{",
            "\"other\":{",
            ["receipt_id", "date", "total_amount", "payment_method", "transaction_id"].map {
                "receipt.\($0): receipt.\($0) is missing; send it with every event"
            }
        ),
        Case(
            "receipt no object",
            "\"receipt\":{",
            "\"receipt\":7,\"other\":{",
            ["receipt: receipt is not an object; send an object"]
        ),
        Case(
            "six fraction digits",
            "\"total_amount\":4.57,\"payment_method\"",
            "\"total_amount\":4.5699999999,\"payment_method\"",
            ["total_amount: total_amount 4.5699999999 has more than 5 fraction digits; round it before sending"],
            compatible: []
        ) { $0.header.reportedTotal == nil },
    ]
}
