package import Tables

/// The declared tables of the canonical model. Money columns are units of 1e-5 of the currency, quantities thousandths.
///
/// `document` and `line` hold sales, returns and adjustments in one place, because a correction can turn one into the
/// other; the tables `sale`, `sale_line`, `return`, `return_line` and `adjustment` of the specification are views.
package enum RetailTables {
    package static let all = states + sums

    package static let states = [
        store, country, run, customer, product, category, document, line, version, statusHistory, quarantine,
        referenceVersion, menuItem, parked, parkedNeed, parkedRelease, storeWindow, windowRevision, openWindow,
        lateSale, storeWatermark, storeClock, sender, senderRange,
    ]

    package static let sums = [
        salesHour, salesDay, salesTotal, productDay, productTotal, productCountry, customerTotal, cancellationDay,
        userProduct, userCategory,
        quarantineUsage, feedTotal, runTotal,
    ]

    package static let store = TableDeclaration(
        "store",
        .state,
        key: ["source", "source_key"],
        meaning: "Stores, one per key of a source.",
        columns: [
            Column("id", .integer, "surrogate"), Column("source", .text, "source system"),
            Column("source_key", .text, "key in the source"), Column("name", .text, nullable: true, "latest name"),
            Column("name_at", .integer, nullable: true, "validity start of the name, µs"),
            Column("time_zone", .text, "zone of its calendar"),
        ]
    )

    package static let country = TableDeclaration(
        "country",
        .state,
        key: ["name"],
        meaning: "Country names as sent; id 0 stands for none.",
        columns: [Column("id", .integer, "surrogate"), Column("name", .text, "as sent")]
    )

    package static let run = TableDeclaration(
        "run",
        .state,
        key: ["feed", "name"],
        meaning: "Ingest runs and feeds that control totals are kept for.",
        columns: [
            Column("id", .integer, "surrogate"), Column("feed", .text, "feed"), Column("name", .text, "run id"),
        ]
    )

    package static let customer = TableDeclaration(
        "customer",
        .state,
        key: ["source", "source_key"],
        meaning: "Customers with their latest attributes.",
        columns: [
            Column("id", .integer, "surrogate"), Column("source", .text, "source system"),
            Column("source_key", .text, "key in the source"), Column("name", .text, nullable: true, "latest name"),
            Column("name_at", .integer, nullable: true, "event time of the name, µs"),
            Column("country", .text, nullable: true, "latest country"),
            Column("country_at", .integer, nullable: true, "event time of the country, µs"),
            Column("login", .text, nullable: true, "latest login"),
            Column("login_at", .integer, nullable: true, "event time of the login, µs"),
        ]
    )

    package static let product = TableDeclaration(
        "product",
        .state,
        key: ["source", "source_key"],
        meaning:
            "Products with their latest name on a menu, else on a gross line with a price, else on any line.",
        columns: [
            Column("id", .integer, "surrogate"), Column("source", .text, "source system"),
            Column("source_key", .text, "code, case kept"),
            Column("description", .text, nullable: true, "latest description"),
            Column("description_at", .integer, nullable: true, "event time of the description, µs"),
            Column(
                "description_rank",
                .integer,
                "2 of a menu, 1 of a gross line with a price above 0, 0 of another line"
            ),
            Column("is_merchandise", .integer, "1, or 0 for postage, fees and the like"),
        ]
    )

    package static let document = TableDeclaration(
        "document",
        .state,
        key: ["source", "source_key"],
        indexes: [
            .init("document_by_customer", ["customer_id", "occurred_at"]),
            .init("document_by_window", ["store_id", "window_start"], present: "window_start"),
        ],
        meaning: "Invoices, receipts and orders with the sums of their lines.",
        columns: [
            Column("id", .integer, "surrogate"), Column("source", .text, "source system"),
            Column("source_key", .text, "number in the source"),
            Column("type", .integer, "greatest kind of its lines: 0 sale, 1 cancellation, 2 bad debt"),
            Column("store_id", .integer, "store"), Column("customer_id", .integer, nullable: true, "customer"),
            Column("customer_at", .integer, nullable: true, "event time of the customer, µs"),
            Column("customer_key", .text, nullable: true, "customer's key in the source"),
            Column("country_id", .integer, "country, 0 none"), Column("country", .text, nullable: true, "country"),
            Column("country_at", .integer, nullable: true, "event time of the country, µs"),
            Column("status", .integer, "0 closed, 1 open, 2 cooking, 3 delivering, 4 cancelled, 5 failed"),
            Column("occurred_at", .integer, nullable: true, "earliest line, µs; null when no line is left"),
            Column("day", .integer, nullable: true, "local day of occurred_at, days since 1970"),
            Column("currency", .integer, "ISO 4217 letters as a number"),
            Column("gross", .wide, "sum of gross lines"), Column("returns", .wide, "sum of returns, negative or 0"),
            Column("adjustments", .wide, "sum of adjustments"),
            Column("gross_lines", .integer, "count"), Column("return_lines", .integer, "count"),
            Column("adjustment_lines", .integer, "count"), Column("units", .integer, "gross quantity, thousandths"),
            Column("version_at", .integer, "version time of a whole-document event, µs; 0 none"),
            Column("content_hash", .blob, nullable: true, "SHA-256 of a whole-document event"),
            Column("reported_total", .integer, nullable: true, "total as the sender stated it"),
            Column("cashier", .text, nullable: true, "who sold"),
            Column("payment_method", .text, nullable: true, "as sent"),
            Column("paid", .integer, nullable: true, "money that was paid, where the source says so"),
            Column("bonus_payment", .integer, nullable: true, "money paid with bonus"),
            Column("bonus_granted", .integer, nullable: true, "bonus granted, money"),
            Column("loyalty_points", .integer, nullable: true, "points"),
            Column("receipt_id", .text, nullable: true, "the receipt's number"),
            Column("receipt_at", .integer, nullable: true, "the receipt's time, µs"),
            Column("receipt_total", .integer, nullable: true, "the receipt's total, money"),
            Column("receipt_method", .text, nullable: true, "the receipt's payment method"),
            Column("receipt_document", .text, nullable: true, "the receipt's transaction number"),
            Column("flags", .integer, "bits of DocumentFlags"),
            Column("traits", .integer, "1 counts in turnover windows, 2 in order counters, 4 has a status history"),
            Column("window_start", .integer, nullable: true, "start of its turnover window, µs"),
            Column("log_offset", .integer, "log offset of the event that set the row last"),
            Column("second_version_at", .integer, "greatest second version time of its copies, µs; 0 without one"),
        ]
    )

    package static let line = TableDeclaration(
        "line",
        .state,
        key: ["document_id", "identity"],
        indexes: [.init("line_by_product", ["product_id", "occurred_at"])],
        meaning: "Lines of documents: gross sales, returns and adjustments.",
        columns: [
            Column("id", .integer, "surrogate"), Column("document_id", .integer, "document"),
            Column("identity", .blob, "client's line number or record_id"),
            Column("product_id", .integer, "product"), Column("kind", .integer, "0 gross, 1 return, 2 adjustment"),
            Column("occurred_at", .integer, "event time, µs"), Column("day", .integer, "local day, days since 1970"),
            Column("hour", .integer, "local hour, hours since 1970-01-01 00:00 local"),
            Column("quantity", .integer, "thousandths, signed"), Column("unit_price", .integer, "money"),
            Column("amount", .integer, "quantity × unit price, money"),
            Column("reported_amount", .integer, nullable: true, "line total as sent, where it differs"),
            Column("currency", .integer, "ISO 4217 letters as a number"),
            Column("description", .text, nullable: true, "as sent"), Column("flags", .integer, "bits of LineFlags"),
            Column("raw_time", .text, "event time as sent"),
            Column("version_at", .integer, "version time, µs; 0 when the contract names none"),
            Column("content_hash", .blob, "SHA-256 of the canonical content"),
            Column("log_offset", .integer, "log offset of the event that set the row"),
        ]
    )

    package static let version = TableDeclaration(
        "version",
        .state,
        key: ["document_id", "identity", "content_hash", "version_at"],
        meaning:
            "Versions that lost: superseded (older version time) or conflicting (a greater one has the same time).",
        columns: [
            Column("id", .integer, "surrogate"), Column("document_id", .integer, "document"),
            Column("identity", .blob, "line identity; empty for a whole document"),
            Column("content_hash", .blob, "SHA-256 of the canonical content"),
            Column("version_at", .integer, "version time, µs; 0 when the contract names none"),
            Column("outcome", .integer, "0 superseded, 1 conflicting"),
            Column("log_offset", .integer, "log offset of the event"),
            Column("second_version_at", .integer, "greatest second version time of its copies, µs; 0 without one"),
            Column(
                "progress",
                .integer,
                "0 open, 1 cooking, 2 delivering, 3 closed, 4 cancelled or failed; 0 of a line"
            ),
        ]
    )

    package static let quarantine = TableDeclaration(
        "quarantine",
        .state,
        key: ["feed", "record_id", "content_hash"],
        meaning: "Rejected records with their original bytes and every reason.",
        columns: [
            Column("id", .integer, "surrogate"), Column("feed", .text, "feed"),
            Column("record_id", .blob, "record_id, 16 bytes"),
            Column("content_hash", .blob, "SHA-256 of the original bytes"), Column("bytes", .blob, "original bytes"),
            Column("reasons", .text, "JSON array of rule, field, value, message"),
            Column("contract", .blob, "digest of the contract that refined"),
            Column("first_seen", .integer, "receipt time, µs"),
            Column("attempts", .integer, "how often it was refined"),
            Column("resolved_at", .integer, nullable: true, "µs; null while it is open"),
            Column("topic", .text, "topic of the record"), Column("log_offset", .integer, "log offset of the record"),
            Column("csv_header", .text, nullable: true, "header row of a CSV record"),
            Column("csv_separator", .integer, "separator of a CSV record, 0 for JSON"),
        ]
    )

    /// What every table of sales sums up.
    private static let sales = [
        Column("gross", .wide, "money"), Column("returns", .wide, "money"),
        Column("units", .integer, "gross quantity, thousandths"),
    ]

    package static let salesHour = TableDeclaration(
        "sales_hour",
        .sum,
        key: ["store_id", "hour", "currency"],
        meaning: "Sales by store and local hour.",
        columns: [
            Column("store_id", .integer, "store"), Column("hour", .integer, "hours since 1970-01-01 00:00 local"),
            Column("currency", .integer, "ISO 4217 letters as a number"),
        ] + sales
    )

    package static let salesDay = TableDeclaration(
        "sales_day",
        .sum,
        key: ["day", "country_id", "store_id", "currency"],
        meaning: "Sales by local day, country of the document, and store.",
        columns: [
            Column("day", .integer, "days since 1970, local"), Column("country_id", .integer, "country"),
            Column("store_id", .integer, "store"), Column("currency", .integer, "ISO 4217 letters as a number"),
            Column("gross", .wide, "money"), Column("returns", .wide, "money"), Column("adjustments", .wide, "money"),
            Column("reference", .wide, "lines of all documents but cancellations"),
            Column("units", .integer, "gross quantity, thousandths"),
            Column("orders", .integer, "documents with a gross line, on the day of the earliest line"),
        ]
    )

    package static let salesTotal = TableDeclaration(
        "sales_total",
        .sum,
        key: ["currency"],
        meaning: "Sales over all time.",
        columns: [
            Column("currency", .integer, "ISO 4217 letters as a number"), Column("gross", .wide, "money"),
            Column("returns", .wide, "money"), Column("adjustments", .wide, "money"),
            Column("reference", .wide, "lines of all documents but cancellations"),
            Column("units", .integer, "gross quantity, thousandths"),
            Column("orders", .integer, "documents with a gross line"),
        ]
    )

    package static let productCountry = TableDeclaration(
        "product_country",
        .sum,
        key: ["country_id", "product_id", "currency"],
        meaning: "Sales by country of the document and product over all time.",
        columns: [
            Column("country_id", .integer, "country"), Column("product_id", .integer, "product"),
            Column("currency", .integer, "ISO 4217 letters as a number"),
        ] + sales
    )

    package static let productDay = TableDeclaration(
        "product_day",
        .sum,
        key: ["day", "product_id", "currency"],
        meaning: "Sales by product and local day.",
        columns: [
            Column("day", .integer, "days since 1970, local"), Column("product_id", .integer, "product"),
            Column("currency", .integer, "ISO 4217 letters as a number"),
        ] + sales
    )

    package static let productTotal = TableDeclaration(
        "product_total",
        .sum,
        key: ["product_id", "currency"],
        meaning: "Sales by product over all time.",
        columns: [
            Column("product_id", .integer, "product"), Column("currency", .integer, "ISO 4217 letters as a number"),
        ] + sales
    )

    package static let customerTotal = TableDeclaration(
        "customer_total",
        .sum,
        key: ["customer_id", "currency"],
        meaning: "Spend and orders by customer.",
        columns: [
            Column("customer_id", .integer, "customer"), Column("currency", .integer, "ISO 4217 letters as a number"),
            Column("gross", .wide, "money"), Column("returns", .wide, "money"), Column("adjustments", .wide, "money"),
            Column("orders", .integer, "documents with a gross line"),
            Column("documents", .integer, "documents with any line, cancellations included"),
        ]
    )

    package static let cancellationDay = TableDeclaration(
        "cancellation_day",
        .sum,
        key: ["day", "currency"],
        meaning: "Cancellations by local day.",
        columns: [
            Column("day", .integer, "days since 1970, local"),
            Column("currency", .integer, "ISO 4217 letters as a number"), Column("amount", .wide, "−|amount| summed"),
            Column("documents", .integer, "documents, on the day of their earliest line"),
        ]
    )

    private static let counts = [
        Column("received", .integer, "records"), Column("distinct_events", .integer, "records"),
        Column("duplicates", .integer, "records"), Column("quarantined", .integer, "records"),
        Column("parked", .integer, "records"), Column("current", .integer, "records"),
        Column("superseded", .integer, "records"), Column("conflicting", .integer, "records"),
    ]

    package static let feedTotal = TableDeclaration(
        "feed_total",
        .sum,
        key: ["run_id"],
        meaning: "Control totals by feed (the row of `run` with an empty name).",
        columns: [Column("run_id", .integer, "row of run")] + counts
    )

    package static let runTotal = TableDeclaration(
        "run_total",
        .sum,
        key: ["run_id"],
        meaning: "Control totals by ingest run.",
        columns: [Column("run_id", .integer, "row of run")] + counts
    )
}
