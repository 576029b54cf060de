import Formats
import Primitives
import RetailModel
import Tables

/// Reference data, records that wait for it, and versions that contradict each other.
enum ReferenceQueries {
    private static let entities = ["customer", "store"]
    /// Missing references that the list shows of one record.
    static let missingListed = 20

    /// How many records of each entity, by source. Products have the menus of stores as their records.
    static func references(_ query: Query) throws -> [UInt8] {
        let rows = try query.rows(
            """
            SELECT entity, source, COUNT(DISTINCT source_key), COUNT(*),
              SUM(CASE WHEN outcome = 1 THEN 1 ELSE 0 END), SUM(CASE WHEN outcome = 2 THEN 1 ELSE 0 END),
              MAX(version_at)
            FROM reference_version GROUP BY entity, source ORDER BY entity, source
            """
        )
        let products = try query.rows(
            """
            SELECT p.source, COUNT(DISTINCT m.product_id), COUNT(*), MAX(m.valid_from)
            FROM menu_item m JOIN product p ON p.id = m.product_id WHERE m.is_winner = 1
            GROUP BY p.source ORDER BY p.source
            """
        )
        return JSONWriter.list { json in
            for row in rows {
                json.beginObject()
                json.field("entity", entities[Int(row[0].number)])
                json.optional("source", row[1])
                json.field("keys", row[2].number)
                json.field("versions", row[3].number)
                json.field("superseded", row[4].number)
                json.field("conflicting", row[5].number)
                json.time("latest", row[6])
                json.endObject()
            }
            for row in products {
                json.beginObject()
                json.field("entity", "product")
                json.optional("source", row[0])
                json.field("keys", row[1].number)
                json.field("versions", row[2].number)
                json.null("superseded")
                json.null("conflicting")
                json.time("latest", row[3])
                json.endObject()
            }
        }
    }

    static func parked(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.numberCursor()
        let rows = try query.rows(
            """
            SELECT id, feed, topic, log_offset, first_seen,
              (SELECT json_group_array(value) FROM (SELECT value FROM json_each(missing) LIMIT \(missingListed))),
              run, sender, substr(bytes, 1, \(QuarantineQueries.bytesListed)), json_array_length(missing), length(bytes)
            FROM parked
            WHERE (?1 IS NULL OR id < CAST(?1 AS INTEGER)) AND (?2 IS NULL OR feed = ?2) ORDER BY id DESC
            """,
            [Cell(after?[0]), try query.feed()],
            limit: limit + 1
        )
        let page = Page(rows, limit: limit) { [String($0[0].number)] }
        return JSONWriter.list(next: page.next) { json in
            for row in page.rows {
                json.beginObject()
                json.optional("feed", row[1])
                json.field("position", "\(row[2].string)/0:\(row[3].number)")
                json.time("first_seen", row[4])
                json.key("missing")
                json.raw(row[5].bytes?.bytes ?? [])
                json.field("missing_count", row[9].number)
                json.optional("run", row[6])
                json.optional("sender", row[7])
                json.original(row[8], size: row[10].number, isShown: query.showsOriginals)
                json.endObject()
            }
        }
    }

    // MARK: Conflicts

    /// Versions that lost against another of the same version time; those of documents and lines first, newest first.
    static func conflicts(_ query: Query) throws -> [UInt8] {
        let limit = try query.limit
        let after = try query.cursor()
        guard after.map({ $0.count == 2 && ["d", "r"].contains($0[0]) && Int64($0[1]) != nil }) ?? true else {
            throw APIError.badParameter("cursor", query.text("cursor") ?? "", "the value of next from the page before")
        }
        var rows: [(part: String, row: [Cell])] = []
        if after?[0] != "r" { rows = try documents(query, after?[1], limit + 1).map { ("d", $0) } }
        if rows.count <= limit {
            let references = try references(query, after?[0] == "r" ? after?[1] : nil, limit + 1 - rows.count)
            rows += references.map { ("r", $0) }
        }
        let page = Page(rows, limit: limit) { [$0.part, String($0.row[0].number)] }
        return JSONWriter.list(next: page.next) { json in
            for (part, row) in page.rows {
                json.beginObject()
                let line = part == "d" ? row[3].bytes?.bytes ?? [] : []
                let kind = part == "r" ? entities[Int(row[3].number)] : line.isEmpty ? "document" : "line"
                json.field("kind", kind)
                json.entity("id", row[1], row[2])
                json.optional("key", row[2])
                json.field("line", line.isEmpty ? nil : Self.identity(line))
                json.time("version_at", row[4].number == 0 ? .null : row[4])
                json.field("content_hash", Hex.text(row[5].bytes?.bytes ?? []))
                json.field("current_hash", row[7].bytes.map { Hex.text($0.bytes) })
                json.field("offset", row[6].number)
                json.endObject()
            }
        }
    }

    /// A line number as it was sent, or the hex digits of a record id.
    private static func identity(_ bytes: [UInt8]) -> String {
        bytes.allSatisfy { 0x20...0x7E ~= $0 } ? String(decoding: bytes, as: UTF8.self) : Hex.text(bytes)
    }

    /// Rows of id, source, key, line identity, version time, hash, offset and the hash that won.
    private static func documents(_ query: Query, _ after: String?, _ limit: Int) throws -> [[Cell]] {
        try query.rows(
            """
            SELECT v.id, d.source, d.source_key, v.identity, v.version_at, v.content_hash, v.log_offset,
              CASE WHEN length(v.identity) = 0 THEN d.content_hash ELSE (SELECT l.content_hash FROM line l
                WHERE l.document_id = v.document_id AND l.identity = v.identity) END
            FROM version v JOIN document d ON d.id = v.document_id
            WHERE v.outcome = 1 AND (?1 IS NULL OR v.id < CAST(?1 AS INTEGER)) ORDER BY v.id DESC
            """,
            [Cell(after)],
            limit: limit
        )
    }

    private static func references(_ query: Query, _ after: String?, _ limit: Int) throws -> [[Cell]] {
        try query.rows(
            """
            SELECT v.id, v.source, v.source_key, v.entity, v.version_at, v.content_hash, v.log_offset,
              (SELECT MAX(w.content_hash) FROM reference_version w WHERE w.entity = v.entity AND w.source = v.source
                AND w.source_key = v.source_key AND w.version_at = v.version_at)
            FROM reference_version v
            WHERE v.outcome = 2 AND (?1 IS NULL OR v.id < CAST(?1 AS INTEGER)) ORDER BY v.id DESC
            """,
            [Cell(after)],
            limit: limit
        )
    }
}

extension JSONWriter {
    /// Original bytes as text where they are text, else in base64; `encoding` says which.
    ///
    /// - Parameter size: Of all the bytes; the cell may hold only the first ones.
    mutating func original(_ cell: Cell, size: Int64, isShown: Bool) {
        guard isShown else {
            field("bytes", "")
            field("encoding", "withheld")
            field("bytes_size", size)
            return field("bytes_complete", false)
        }
        let bytes = cell.bytes?.bytes ?? []
        let isComplete = bytes.count == size
        let text = String(validating: isComplete ? bytes[...] : Self.wholeSigns(bytes), as: UTF8.self)
        field("bytes", text ?? Base64.encode(bytes))
        field("encoding", text == nil ? "base64" : "utf8")
        field("bytes_size", size)
        field("bytes_complete", isComplete)
    }

    /// Without the beginning of a UTF-8 sequence that a cut has left at the end.
    private static func wholeSigns(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard let start = bytes.suffix(4).lastIndex(where: { $0 & 0xC0 != 0x80 }), bytes[start] >= 0xC0 else {
            return bytes[...]
        }
        let length = bytes[start] >= 0xF0 ? 4 : bytes[start] >= 0xE0 ? 3 : 2
        return bytes.count - start < length ? bytes[..<start] : bytes[...]
    }
}
