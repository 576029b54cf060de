package import Tables

/// Tables of turnover windows, reference data, parked records, senders and order counters.
extension RetailTables {
    package static let category = TableDeclaration(
        "category",
        .state,
        key: ["source", "name"],
        meaning: "Categories of menus.",
        columns: [
            Column("id", .integer, "surrogate"), Column("source", .text, "source system"),
            Column("name", .text, "as sent"),
        ]
    )

    package static let statusHistory = TableDeclaration(
        "status_history",
        .state,
        key: ["document_id", "at", "status"],
        meaning: "Statuses of a document over all its versions, each with its own time.",
        columns: [
            Column("id", .integer, "surrogate"), Column("document_id", .integer, "document"),
            Column("at", .integer, "µs"), Column("status", .integer, "as in document"),
        ]
    )

    // MARK: Reference data

    package static let referenceVersion = TableDeclaration(
        "reference_version",
        .state,
        key: ["entity", "source", "source_key", "version_at", "content_hash"],
        meaning: "Every distinct reference record: customers, and stores with their menus.",
        columns: [
            Column("id", .integer, "surrogate"), Column("entity", .integer, "0 customer, 1 store"),
            Column("source", .text, "source system"), Column("source_key", .text, "key in the source"),
            Column("version_at", .integer, "validity start, µs"),
            Column("content_hash", .blob, "SHA-256 of the content"),
            Column("outcome", .integer, "0 current, 1 superseded (history), 2 conflicting"),
            Column("log_offset", .integer, "log offset of the event"),
        ]
    )

    package static let menuItem = TableDeclaration(
        "menu_item",
        .state,
        key: ["store_id", "product_id", "valid_from", "content_hash"],
        meaning: "Products on the menu of a store, one row per store's record; the winning one of a validity start is "
            + "valid until the next.",
        columns: [
            Column("id", .integer, "surrogate"), Column("store_id", .integer, "store"),
            Column("product_id", .integer, "product"), Column("valid_from", .integer, "µs"),
            Column("name", .text, "name on the menu"), Column("category_id", .integer, "category"),
            Column("price", .integer, "money"), Column("content_hash", .blob, "of the store's record"),
            Column("is_winner", .integer, "1, or 0 when a record with the same validity start has a greater hash"),
        ]
    )

    package static let parked = TableDeclaration(
        "parked",
        .state,
        key: ["feed", "record_id", "content_hash"],
        meaning: "Accepted records that wait for a required reference record; they count when it arrives.",
        columns: [
            Column("id", .integer, "surrogate"), Column("feed", .text, "feed"),
            Column("record_id", .blob, "record_id, 16 bytes"),
            Column("content_hash", .blob, "SHA-256 of the original bytes"), Column("bytes", .blob, "original bytes"),
            Column("missing", .text, "JSON array of the missing references"),
            Column("contract", .blob, "digest of the contract that refined"),
            Column("first_seen", .integer, "receipt time, µs"), Column("run", .text, "ingest run"),
            Column("sender", .text, "sender"),
            Column("csv_header", .text, nullable: true, "header row of a CSV record"),
            Column("csv_separator", .integer, "separator of a CSV record, 0 for JSON"),
            Column("topic", .text, "topic of the record"), Column("log_offset", .integer, "log offset of the record"),
        ]
    )

    package static let parkedNeed = TableDeclaration(
        "parked_need",
        .state,
        key: ["need", "log_offset", "feed", "record_id", "content_hash"],
        meaning: "Which missing reference each parked record waits for, in order of the log.",
        columns: [
            Column("id", .integer, "surrogate"), Column("need", .text, "entity:source:key"),
            Column("log_offset", .integer, "log offset of the record"),
            Column("feed", .text, "feed"), Column("record_id", .blob, "record_id, 16 bytes"),
            Column("content_hash", .blob, "SHA-256 of the original bytes"),
        ]
    )

    package static let parkedRelease = TableDeclaration(
        "parked_release",
        .state,
        key: ["need"],
        meaning: "References that arrived and whose parked records are about to be counted; empty at rest.",
        columns: [Column("id", .integer, "surrogate"), Column("need", .text, "entity:source:key")]
    )

    // MARK: Turnover windows

    package static let storeWindow = TableDeclaration(
        "store_window",
        .state,
        key: ["store_id", "window_start", "currency"],
        indexes: [.init("store_window_by_time", ["window_start"])],
        meaning: "Turnover by store and window: what it is now, and what was published last.",
        columns: [
            Column("id", .integer, "surrogate"), Column("store_id", .integer, "store"),
            Column("window_start", .integer, "µs"), Column("currency", .integer, "ISO 4217 letters as a number"),
            Column("window_end", .integer, "µs"), Column("total", .wide, "gross of closed sales, money"),
            Column("sale_count", .integer, "closed sales"),
            Column("revision", .integer, "0 while open; 1 when published, +1 for each correction"),
            Column("late_count", .integer, "sales that came after it was published"),
        ]
    )

    package static let windowRevision = TableDeclaration(
        "window_revision",
        .state,
        key: ["store_id", "window_start", "currency", "revision"],
        indexes: [.init("window_revision_by_time", ["published_at"])],
        meaning: "Every publication of a window: what it said before, what it says now.",
        columns: [
            Column("id", .integer, "surrogate"), Column("store_id", .integer, "store"),
            Column("window_start", .integer, "µs"), Column("currency", .integer, "ISO 4217 letters as a number"),
            Column("revision", .integer, "from 1"), Column("old_total", .wide, "published before, money"),
            Column("total", .wide, "published now, money"), Column("old_count", .integer, "sales before"),
            Column("sale_count", .integer, "sales now"),
            Column("cause", .integer, "0 watermark, 1 idle store, 2 late sale, 3 correction"),
            Column("published_at", .integer, "receipt time of the record that caused it, µs"),
            Column("log_offset", .integer, "log offset of that record"),
        ]
    )

    package static let openWindow = TableDeclaration(
        "open_window",
        .state,
        key: ["store_id", "window_start", "currency"],
        meaning: "Windows that are not published yet.",
        columns: [
            Column("id", .integer, "surrogate"), Column("store_id", .integer, "store"),
            Column("window_start", .integer, "µs"), Column("currency", .integer, "ISO 4217 letters as a number"),
        ]
    )

    package static let lateSale = TableDeclaration(
        "late_sale",
        .state,
        key: ["document_id", "window_start", "log_offset"],
        meaning: "Sales that came after their window was published (the late stream).",
        columns: [
            Column("id", .integer, "surrogate"), Column("document_id", .integer, "document"),
            Column("window_start", .integer, "µs"), Column("log_offset", .integer, "log offset of the record"),
            Column("store_id", .integer, "store"), Column("occurred_at", .integer, "event time, µs"),
            Column("received_at", .integer, "receipt time, µs"),
        ]
    )

    package static let storeWatermark = TableDeclaration(
        "store_watermark",
        .state,
        key: ["store_id"],
        meaning: "How far the event time of a store has come, and the window policy of its latest sale.",
        columns: [
            Column("id", .integer, "surrogate"), Column("store_id", .integer, "store"),
            Column("watermark", .integer, "event time, µs"),
            Column("received_at", .integer, "receipt time of its latest record, µs"),
            Column("length", .integer, "µs"), Column("lateness", .integer, "µs"), Column("idle", .integer, "µs"),
            Column("topic", .text, "topic of its latest sale; only receipt times of this topic make it idle"),
        ]
    )

    package static let storeClock = TableDeclaration(
        "store_clock",
        .state,
        key: ["store_id", "sender"],
        meaning: "The greatest event time of each sender of a store.",
        columns: [
            Column("id", .integer, "surrogate"), Column("store_id", .integer, "store"),
            Column("sender", .text, "sender, empty when it has no name"),
            Column("event_max", .integer, "event time, µs"), Column("received_at", .integer, "receipt time, µs"),
        ]
    )

    // MARK: Senders

    package static let sender = TableDeclaration(
        "sender",
        .state,
        key: ["feed", "name", "epoch"],
        meaning: "Who sends, how far, and how its clock differs.",
        columns: [
            Column("id", .integer, "surrogate"), Column("feed", .text, "feed"), Column("name", .text, "X-Till-Sender"),
            Column(
                "epoch",
                .text,
                "which count of its sequence: X-Till-Epoch, or when it began again; empty for the first"
            ),
            Column("records", .integer, "received records"), Column("first_seen", .integer, "receipt time, µs"),
            Column("last_seen", .integer, "receipt time, µs"),
            Column("event_max", .integer, nullable: true, "greatest event time, µs"),
            Column(
                "delay_min",
                .integer,
                nullable: true,
                "least receipt time − event time, µs: clock offset and travel"
            ),
            Column(
                "gaps_from",
                .integer,
                nullable: true,
                "gaps below this sequence are not listed any more, only the first: there were too many; null while all are"
            ),
            Column(
                "hidden_from",
                .integer,
                nullable: true,
                "the first sequence in a gap that is not listed any more; null while all are"
            ),
        ]
    )

    package static let senderRange = TableDeclaration(
        "sender_range",
        .state,
        key: ["feed", "name", "epoch", "low"],
        meaning: "Ranges of sequence numbers that arrived; what lies between two of them is missing.",
        columns: [
            Column("id", .integer, "surrogate"), Column("feed", .text, "feed"), Column("name", .text, "X-Till-Sender"),
            Column(
                "epoch",
                .text,
                "which count of its sequence: X-Till-Epoch, or when it began again; empty for the first"
            ),
            Column("low", .integer, "first sequence"), Column("high", .integer, "last sequence"),
            Column("event_max", .integer, nullable: true, "greatest event time within, µs"),
        ]
    )

    // MARK: Sums

    package static let userProduct = TableDeclaration(
        "user_product",
        .sum,
        key: ["customer_id", "product_id"],
        meaning: "Closed orders of a customer that contain a product.",
        columns: [
            Column("customer_id", .integer, "customer"), Column("product_id", .integer, "product"),
            Column("orders", .integer, "closed orders"),
        ]
    )

    package static let userCategory = TableDeclaration(
        "user_category",
        .sum,
        key: ["customer_id", "category_id"],
        meaning: "Closed orders of a customer that contain a category.",
        columns: [
            Column("customer_id", .integer, "customer"), Column("category_id", .integer, "category"),
            Column("orders", .integer, "closed orders"),
        ]
    )

    package static let quarantineUsage = TableDeclaration(
        "quarantine_usage",
        .sum,
        key: ["run_id"],
        meaning: "Open quarantine entries by feed (the row of `run` with an empty name).",
        columns: [
            Column("run_id", .integer, "row of run"), Column("entries", .integer, "open entries"),
            Column(
                "bytes",
                .integer,
                "bytes stored for them: record, reasons, CSV header, and 320 for keys and indexes"
            ),
        ]
    )
}
