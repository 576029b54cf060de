import Primitives
import RetailModel
import Tables

/// The tables that a set of records must give, computed at once from all of them: no batches, no differences.
/// It shares no code with the fold but the event types.
struct DirectTables {
    private struct Versions<Event> {
        var all: [(versionAt: Int64, hash: Digest, event: Event)] = []
        /// Every copy, of which `all` has one each.
        var copies = 0

        mutating func add(_ event: Event, _ versionAt: Int64, _ hash: Digest, merge: (Event, Event) -> Event) {
            copies += 1
            if let index = all.firstIndex(where: { $0.versionAt == versionAt && $0.hash == hash }) {
                all[index].event = merge(all[index].event, event)
            } else {
                all.append((versionAt, hash, event))
            }
        }

        var sorted: [(versionAt: Int64, hash: Digest, event: Event)] {
            all.sorted { ($0.versionAt, $0.hash) < ($1.versionAt, $1.hash) }
        }

        /// Lost versions and whether a greater one has the same time.
        var lost: [(versionAt: Int64, hash: Digest, isConflict: Bool)] {
            sorted.dropLast().map { one in
                (one.versionAt, one.hash, all.contains { $0.versionAt == one.versionAt && $0.hash > one.hash })
            }
        }
    }

    /// A value with the latest event time; of two at one time the one with the greater hash.
    private struct Latest {
        var value: ByteString?
        var at: Int64?

        mutating func offer(_ new: ByteString?, _ time: Int64) {
            guard let new else { return }
            let mine = (at ?? .min, value.map { Digest.sha256(of: $0.bytes) } ?? .zero)
            if value == nil || (time, Digest.sha256(of: new.bytes)) > mine { (value, at) = (new, time) }
        }

        var cells: [String] { [TableContents.text(Cell(text: value)), TableContents.text(Cell(at))] }
    }

    private struct Counts {
        var received = 0, distinct = 0, quarantined = 0, current = 0, superseded = 0, conflicting = 0

        var cells: [String] {
            let duplicates = received - distinct - quarantined
            return [received, distinct, duplicates, quarantined, 0, current, superseded, conflicting].map(String.init)
        }
    }

    private struct Document: Hashable {
        var source: ByteString, key: ByteString
        var name: String { "\(source)/\(key)" }
    }

    private var out = TableContents()
    private var sums: [String: [String: [Int128]]] = [:]

    static func contents(of records: [JudgedRecord]) -> TableContents {
        var tables = DirectTables()
        tables.build(records)
        return tables.out
    }

    private static func least(_ a: LineEvent, _ b: LineEvent) -> LineEvent {
        (a.rawTime, a.flags.rawValue) <= (b.rawTime, b.flags.rawValue) ? a : b
    }

    private mutating func build(_ records: [JudgedRecord]) {
        for table in RetailTables.all { out.rows[table.name] = [] }
        var lines: [Document: [ByteString: Versions<LineEvent>]] = [:]
        var sales: [Document: Versions<SaleEvent>] = [:]
        var counts: [ByteString: Counts] = [:]
        var runs: [ByteString: Int] = [:]
        var rejected: Set<String> = []
        var customers: [Document: (name: Latest, country: Latest)] = [:]
        var products: [Document: (description: Latest, isMerchandise: Bool)] = [:]
        func person(
            _ source: ByteString,
            _ key: ByteString?,
            _ name: ByteString?,
            _ country: ByteString?,
            _ time: Int64
        ) {
            guard let key else { return }
            customers[Document(source: source, key: key), default: (Latest(), Latest())].name.offer(name, time)
            customers[Document(source: source, key: key)]?.country.offer(country, time)
        }
        for record in records {
            counts[record.feed, default: Counts()].received += 1
            out.add("run", [record.feed.description, ""])
            if !record.run.isEmpty {
                out.add("run", [record.feed.description, record.run.description])
                runs[record.run, default: 0] += 1
            }
            var found: [LineEvent] = []
            var country: ByteString?
            switch record.outcome {
            case .quarantined(let reasons):
                let cells: [Cell] = [
                    .text(record.feed), .blob(ByteString(record.recordID.bytes)),
                    .blob(ByteString(Digest.sha256(of: record.bytes.bytes).bytes)), .blob(record.bytes), .text(reasons),
                    .integer(1), .null, .text(record.topic),
                ]
                let row = cells.map(TableContents.text)
                if rejected.insert(row.joined()).inserted { counts[record.feed]?.quarantined += 1 }
                out.add("quarantine", row)
                continue
            case .accepted(.line(let line)):
                let document = Document(source: line.source, key: line.document)
                lines[document, default: [:]][line.identity, default: Versions()]
                    .add(line, line.versionAt, line.contentHash, merge: Self.least)
                found = [line]
                country = line.country
                person(line.source, line.customer, line.customerName, line.country, line.occurredAt.micros)
            case .accepted(.reference), .tick: continue
            case .accepted(.sale(let sale)):
                sales[Document(source: sale.header.source, key: sale.header.document), default: Versions()]
                    .add(sale, sale.header.versionAt, sale.contentHash) { a, b in
                        var merged = a
                        merged.lines = zip(a.lines, b.lines).map(Self.least)
                        return merged
                    }
                found = sale.lines
                country = sale.header.country
                let header = sale.header
                person(header.source, header.customer, header.customerName, header.country, header.occurredAt.micros)
            }
            if let country { out.add("country", [country.description]) }
            for line in found {
                out.add("store", ["\(line.source)", "\(line.store)", "\(line.store)", "\(line.timeZone)"])
                products[Document(source: line.source, key: line.product), default: (Latest(), line.product != "POST")]
                    .description.offer(line.description, line.occurredAt.micros)
            }
        }
        for (key, row) in customers {
            out.add("customer", ["\(key.source)", "\(key.key)"] + row.name.cells + row.country.cells)
        }
        for (key, row) in products {
            out.add(
                "product",
                ["\(key.source)", "\(key.key)"] + row.description.cells + [row.isMerchandise ? "1" : "0"]
            )
        }
        for (document, byIdentity) in lines { invoice(document, byIdentity, &counts["invoices", default: Counts()]) }
        for (document, versions) in sales { sale(document, versions, &counts["shop", default: Counts()]) }
        for (table, rows) in sums {
            for (key, values) in rows where values.contains(where: { $0 != 0 }) {
                out.add(table, [key] + values.map(String.init))
            }
        }
        for (feed, count) in counts { out.add("feed_total", ["\(feed)/"] + count.cells) }
        for (run, received) in runs { out.add("run_total", ["invoices/\(run)", "\(received)"]) }
        out.add("runs together", runs.isEmpty ? Counts().cells : counts["invoices"]?.cells ?? [])
    }

    private mutating func versions<Event>(
        _ versions: Versions<Event>,
        _ document: Document,
        _ identity: ByteString,
        _ count: inout Counts
    ) {
        count.distinct += versions.all.count
        count.current += 1
        for lost in versions.lost {
            if lost.isConflict { count.conflicting += 1 } else { count.superseded += 1 }
            out.add(
                "version",
                [
                    document.name, TableContents.text(.blob(identity)), "\(lost.hash)", "\(lost.versionAt)",
                    lost.isConflict ? "1" : "0",
                ]
            )
        }
    }

    private mutating func invoice(
        _ document: Document,
        _ byIdentity: [ByteString: Versions<LineEvent>],
        _ count: inout Counts
    ) {
        var customer = Latest()
        var country = Latest()
        var current: [LineEvent] = []
        for (identity, found) in byIdentity {
            versions(found, document, identity, &count)
            for one in found.all {
                customer.offer(one.event.customer, one.event.occurredAt.micros)
                country.offer(one.event.country, one.event.occurredAt.micros)
            }
            if let last = found.sorted.last { current.append(last.event) }
        }
        guard let first = current.min(by: { $0.occurredAt < $1.occurredAt }) else { return }
        var header = DocumentHeader(
            source: document.source,
            document: document.key,
            store: first.store,
            timeZone: "UTC",
            occurredAt: first.occurredAt,
            day: first.day,
            currency: first.currency
        )
        header.customer = customer.value
        header.country = country.value
        book(
            document,
            header,
            current,
            customerAt: customer.at,
            countryAt: country.at,
            type: first.documentType,
            hash: nil
        )
    }

    private mutating func sale(_ document: Document, _ found: Versions<SaleEvent>, _ count: inout Counts) {
        versions(found, document, "", &count)
        guard let event = found.sorted.last?.event else { return }
        let time = event.header.occurredAt.micros
        book(
            document,
            event.header,
            event.lines,
            customerAt: event.header.customer == nil ? nil : time,
            countryAt: event.header.country == nil ? nil : time,
            type: .sale,
            hash: event.contentHash
        )
    }

    private mutating func sum(_ table: String, _ key: [String], _ values: [Int128]) {
        let name = key.joined(separator: "|")
        sums[table, default: [:]][name] = zip(sums[table]?[name] ?? values.map { _ in 0 }, values).map { $0 + $1 }
    }

    private mutating func book(
        _ document: Document,
        _ header: DocumentHeader,
        _ lines: [LineEvent],
        customerAt: Int64?,
        countryAt: Int64?,
        type: DocumentType,
        hash: Digest?
    ) {
        func total(_ kind: LineKind) -> Int128 { lines.filter { $0.kind == kind }.reduce(0) { $0 + Int128($1.amount) } }
        func number(_ kind: LineKind) -> Int { lines.count { $0.kind == kind } }
        let units = lines.filter { $0.kind == .gross }.reduce(0) { $0 + $1.quantity }
        let store = "\(document.source)/\(header.store)"
        let country = header.country?.description ?? "none"
        let person = header.customer.map { "\(document.source)/\($0)" }
        let currency = "\(header.currency.code)"
        var row: [String] = [
            "\(document.source)", "\(document.key)", "\(type.rawValue)", store, person ?? "null",
            customerAt.map(String.init) ?? "null", header.customer?.description ?? "null", country,
            header.country?.description ?? "null", countryAt.map(String.init) ?? "null", "\(header.status.rawValue)",
            "\(header.occurredAt.micros)", "\(header.day)", currency,
        ]
        row += [total(.gross), total(.returned), total(.adjustment)].map(String.init)
        row += [number(.gross), number(.returned), number(.adjustment)].map(String.init)
        row += [
            "\(units)", "\(header.versionAt)", hash?.description ?? "null",
            header.reportedTotal.map(String.init) ?? "null",
        ]
        out.add("document", row)
        for line in lines { add(line, document) }
        guard header.status == .closed else { return }
        for line in lines { count(line, store, country, document, type) }
        let order: Int128 = number(.gross) > 0 ? 1 : 0
        sum("sales_day", ["\(header.day)", country, store, currency], [0, 0, 0, 0, 0, order])
        if let person {
            sum("customer_total", [person, currency], [total(.gross), total(.returned), total(.adjustment), order, 1])
        }
        if type == .cancellation { sum("cancellation_day", ["\(header.day)", currency], [0, 1]) }
    }

    private mutating func add(_ line: LineEvent, _ document: Document) {
        let numbers = [
            line.kind.rawValue, line.occurredAt.micros, line.day, line.hour, line.quantity, line.unitPrice, line.amount,
            Int64(line.currency.code),
        ]
        out.add(
            "line",
            [document.name, TableContents.text(.blob(line.identity)), "\(line.source)/\(line.product)"]
                + numbers.map(String.init)
                + [
                    line.description?.description ?? "null", "\(line.flags.rawValue)", "\(line.rawTime)",
                    "\(line.versionAt)", "\(line.contentHash)",
                ]
        )
    }

    private mutating func count(
        _ line: LineEvent,
        _ store: String,
        _ country: String,
        _ document: Document,
        _ type: DocumentType
    ) {
        let amount = Int128(line.amount)
        let currency = "\(line.currency.code)"
        let product = "\(document.source)/\(line.product)"
        let money: [Int128] = [line.kind == .gross ? amount : 0, line.kind == .returned ? amount : 0]
        let units: Int128 = line.kind == .gross ? Int128(line.quantity) : 0
        sum("sales_hour", [store, "\(line.hour)", currency], money + [units])
        sum("product_day", ["\(line.day)", product, currency], money + [units])
        sum("product_total", [product, currency], money + [units])
        let adjustment = line.kind == .adjustment ? amount : 0
        let reference = type == .cancellation ? 0 : amount
        sum("sales_day", ["\(line.day)", country, store, currency], money + [adjustment, reference, units, 0])
        if type == .cancellation { sum("cancellation_day", ["\(line.day)", currency], [-abs(amount), 0]) }
    }
}
