/// Which scope a route asks for when identities are configured.
package enum Access: Sendable { case open, sales, customers, metrics, operate }

/// One API route as data: the dispatcher, the OpenAPI document and the reference page come from this table.
struct Route: Sendable {
    struct Parameter: Sendable {
        var name: String
        var meaning: String
        init(_ name: String, _ meaning: String) {
            self.name = name
            self.meaning = meaning
        }
    }

    /// Path with `{name}` parts.
    var path: String
    var access: Access
    var summary: String
    var parameters: [Parameter] = []
    /// The answer in the notation of ``SchemaNotation``.
    var schema: String
    /// Takes some milliseconds at the most, however much there is in the tables: it runs beside the queries that may
    /// take long, and never behind them.
    var isQuick = false
    /// Shows data of one customer only, which that customer may see.
    var isOfOneCustomer = false
    var answer: @Sendable (Query) throws -> [UInt8]

    private static let days = [
        Parameter("from", "First day, yyyy-MM-dd."), Parameter("to", "Last day, yyyy-MM-dd, included."),
    ]
    private static let country = Parameter("country", "Country of the document, exactly as sent.")
    private static let page = [
        Parameter("limit", "Items at most, 1 to 1000; default 50."),
        Parameter("cursor", "The value of next of the page before."),
    ]
    private static let money = "{amount:m,currency:s}"
    private static let spend = "gross:m,returns:m,net:m"
    private static let standing = "status:s,flags:[s],reported_total:?m"

    private static let timeSchema =
        "{grain:s,items:[{period:s,currency:s,\(spend),orders:?i,units:n}],next:?s}"
    private static let productsSchema =
        "{items:[{rank:?i,source:s,code:s,description:?s,units:n,gross:m,currency:s}],next:?s}"
    private static let cancelledSchema =
        "{grain:s,total:{documents:i,amounts:[\(money)]},documents:[{invoice:s,number:s,occurred_at:?t,amount:m,currency:s}],documents_truncated:b,items:[{period:s,currency:s,documents:i,amount:m}],next:?s}"
    private static let loyalSchema =
        "{total_customers:i,loyal_customers:i,most_orders:?i,top:[{id:s,key:s,name:?s,orders:i}],next:?s}"

    static let all = sales + windows + operation + service

    private static let sales: [Route] = [
        Route(
            path: "/v1/overview",
            access: .sales,
            summary:
                "Totals, sales over time, top products, cancellations and loyal customers of one position: what stands together is of one moment. loyal is null without the scope read:customers.",
            parameters: [
                .init("grain", "Of time: year, quarter, month, week, day (default) or hour."),
                .init("time_from", "First day of time, when it is another."),
                .init("time_to", "Last day of time, when it is another."),
                .init("cancelled_grain", "Of cancelled: day (default), week, month, quarter or year."),
                .init("exclude_non_products", "true leaves out postage, fees and the like."),
                .init("currency", "Of products; without it the one with most orders."),
                .init("cancellations", "Of loyal: exclude (default) or include."), country,
            ] + days,
            schema:
                "{position:s,totals:[{currency:s,\(spend),adjustments:m,orders:i,units:n,reference:m,average:?m,reference_average:?m}],time:\(timeSchema),products:\(productsSchema),cancelled:\(cancelledSchema),loyal:?\(loyalSchema)}",
            isQuick: true,
            answer: OverviewQueries.overview
        ),
        Route(
            path: "/v1/sales/total",
            access: .sales,
            summary: "Total sales per currency, by one of two definitions.",
            parameters: [
                .init(
                    "definition",
                    "native: gross, returns, net by the rules of the model; reference: every line whose invoice number does not begin with C."
                ), country,
            ] + days,
            schema:
                "{definition:s,totals:[{currency:s,sales~:m,gross~:m,returns~:m,net~:m,adjustments~:m,orders~:i,units~:n}]}",
            isQuick: true,
            answer: SalesQueries.total
        ),
        Route(
            path: "/v1/sales/over-time",
            access: .sales,
            summary: "Sales by period of the store's calendar.",
            parameters: [
                .init("grain", "year, quarter, month, week, day (default) or hour."), country,
            ] + days,
            schema: timeSchema,
            answer: SalesQueries.overTime
        ),
        Route(
            path: "/v1/sales/average-order-value",
            access: .sales,
            summary: "Gross sales divided by orders; null without orders.",
            parameters: [
                .init(
                    "definition",
                    "native (default), or reference: the reference total divided by the documents that it adds up."
                ), country,
            ] + days,
            schema: "{definition:s,items:[{currency:s,average:?m,orders:i}],next:?s}",
            answer: SalesQueries.averageOrderValue
        ),
        Route(
            path: "/v1/products/top",
            access: .sales,
            summary:
                "Products by gross sales, ranked within each currency, greatest first; ties by code. rank is null for a product without a sale.",
            parameters: [
                .init("limit", "1 to 1000; default 10."), page[1],
                .init("currency", "Only this currency: three letters."),
                .init("exclude_non_products", "true leaves out postage, fees and the like."), country,
            ] + days,
            schema: productsSchema,
            answer: SalesQueries.topProducts
        ),
        Route(
            path: "/v1/cancellations",
            access: .sales,
            summary:
                "Cancelled documents by period, the total and the 20 latest; the view vw_CancelledOrders has all of them.",
            parameters: [.init("grain", "day (default), week, month, quarter or year."), country] + days,
            schema:
                cancelledSchema,
            answer: SalesQueries.cancellations
        ),
        Route(
            path: "/v1/countries",
            access: .sales,
            summary: "Countries of documents, by name: what country takes.",
            parameters: page,
            schema: "{items:[{country:s}],next:?s}",
            isQuick: true,
            answer: SalesQueries.countries
        ),
        Route(
            path: "/v1/customers",
            access: .customers,
            summary: "Customers by key; search in key (prefix) and name.",
            parameters: [.init("search", "Beginning of the key or part of the name.")] + page,
            schema: "{items:[{id:s,key:s,name:?s,country:?s,orders:i,gross:[\(money)]}],next:?s}",
            answer: CustomerQueries.list
        ),
        Route(
            path: "/v1/customers/summary",
            access: .customers,
            summary:
                "How many customers, how many with more than one order, and who orders most. With days or a country: of the customers with a document then and there.",
            parameters: [
                .init(
                    "cancellations",
                    "exclude (default) counts orders; include counts all documents, as the reference view does."
                ),
                .init("limit", "Customers listed, 1 to 1000; default 10."), page[1], country,
            ] + days,
            schema: loyalSchema,
            answer: CustomerQueries.summary
        ),
        Route(
            path: "/v1/customers/{id}/spend",
            access: .customers,
            summary: "Gross, returns and net of one customer.",
            schema:
                "{customer:{id:s,key:s,name:?s,country:?s},spend:[{currency:s,\(spend),orders:i}],last_order_at:?t}",
            isOfOneCustomer: true,
            answer: CustomerQueries.spend
        ),
        Route(
            path: "/v1/customers/{id}/orders",
            access: .customers,
            summary:
                "Documents of one customer, newest first, returns included. Only those whose status is closed count in any figure; reported_total is what the sender stated where that was corrected.",
            parameters: page,
            schema:
                "{items:[{invoice:s,number:s,occurred_at:?t,amount:m,currency:s,quantity:n,items_purchased:s,items_truncated:b,\(standing)}],next:?s}",
            isOfOneCustomer: true,
            answer: CustomerQueries.orders
        ),
        Route(
            path: "/v1/customers/{id}/returns",
            access: .customers,
            summary: "Returned items of one customer, newest first, with the sale each was likely bought in.",
            parameters: page,
            schema:
                "{items:[{invoice:s,number:s,occurred_at:?t,product:s,description:?s,quantity:n,unit_price:m,total:m,currency:s,likely_original:?{invoice:s,number:s,occurred_at:?t}}],next:?s}",
            isOfOneCustomer: true,
            answer: ReturnQueries.list
        ),
        Route(
            path: "/v1/invoices/{id}",
            access: .customers,
            summary:
                "One invoice, sale or order with its lines, its status and the statuses before, and what was reported where it was corrected.",
            schema:
                "{invoice:s,number:s,occurred_at:?t,customer:?{id:s,key:s,name:?s},country:?s,\(standing),status_history:[{status:s,at:t}],receipt:?{number:s,at:?t,total:?m,payment_method:?s,document:?s},lines:[{line_no:i,product:s,description:?s,quantity:n,unit_price:m,total:m,reported_total:?m,kind:s,flags:[s]}],totals:[{currency:s,\(spend),adjustments:m}]}",
            isQuick: true,
            isOfOneCustomer: true,
            answer: InvoiceQueries.detail
        ),
    ]

    private static let service: [Route] = [
        Route(
            path: "/v1/runs",
            access: .operate,
            summary: "Ingest runs by feed and name, with their control totals.",
            parameters: [.init("feed", "Only of this feed.")] + page,
            schema: "{items:[{feed:s,run:s,read:i,distinct:i,duplicates:i,quarantined:i,parked:i}],next:?s}",
            answer: OperateQueries.runs
        ),
        Route(
            path: "/v1/runs/{run}",
            access: .operate,
            summary: "Control totals of one ingest run: read = distinct + duplicates + quarantined + parked.",
            parameters: [.init("feed", "The run of this feed; needed where several feeds have a run of that name.")],
            schema: "{run:s,feed:s,read:i,distinct:i,duplicates:i,quarantined:i,parked:i}",
            isQuick: true,
            answer: OperateQueries.run
        ),
        Route(
            path: "/v1/row-identity",
            access: .operate,
            summary:
                "How rows of files are told apart in a feed: by their bytes when a till before 2026-12 loaded files into it, else by their content (row_identity of its contract).",
            parameters: [.init("feed", "The feed; needed.")],
            schema: "{feed:s,by_bytes:b}",
            isQuick: true,
            answer: OperateQueries.rowIdentity
        ),
        Route(
            path: "/v1/status",
            access: .operate,
            summary:
                "Positions, lag and rates of the pipeline, disk space, the control totals, and whether there is a proof.",
            schema:
                "{version:s,data_id:s,demo:b,uptime_seconds:i,feeds:[{feed:s,log_end:i,stored:i,lag:i,oldest_unprocessed_seconds:n}],position:s,accept_rate_per_second:n,process_rate_per_second:n,lag:i,storage:{used_bytes:?i,free_bytes:?i,bytes_per_day:?i,days_left:?i},proof:b,totals:{received:i,distinct:i,duplicates:i,quarantined:i,parked:i,current:i,superseded:i,conflicting:i,simulated:i}}",
            isQuick: true,
            answer: OperateQueries.status
        ),
        Route(
            path: "/v1/views/{view}",
            access: .customers,
            summary: "Rows of a view as it stands; the sales scope is enough for those without customers.",
            parameters: [.init("limit", "Rows at most, 1 to 100000; default 1000."), page[1]],
            schema: "{view:s,items:[o],next:?s}",
            answer: OperateQueries.view
        ),
    ]
}
