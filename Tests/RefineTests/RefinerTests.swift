import Foundation
import Ports
import Primitives
import RetailModel
import Testing

@testable import Refine

/// Refining as a function: equal content gives equal events, whatever it was written in, and nothing crashes it.
@Suite struct RefinerTests {
    @Test func `JSON and CSV of one row give the same event and content hash`() throws {
        var desk = try Desk("Contracts/invoices.yaml")
        let json = invoiceLine(["customerName": nil, "InvoiceDate": "\"2010-12-01 08:26:00\""])
        let id = Identifier(high: 1, low: 2)
        let one = try #require(try desk.refine(json, id: id).line)
        let row = "536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom"
        let two = try #require(try desk.refine(row, .csv(header: Desk.header, separator: 0x2C), id: id).line)
        #expect(one == two && one.contentHash != .zero)
        let quoted = "\"536365\",85123A,\"WHITE HANGING HEART\",6,2010-12-01 08:26:00,2.550,17850.0,\"United Kingdom\""
        #expect(try desk.refine(quoted, .csv(header: Desk.header, separator: 0x2C), id: id).line == one)
        let tabs = row.replacingOccurrences(of: ",", with: "\t")
        let header = ByteString(Desk.header.description.replacingOccurrences(of: ",", with: "\t"))
        #expect(try desk.refine(tabs, .csv(header: header, separator: 9), id: id).line == one)
    }

    static let spellings: [[String: String?]] = [
        ["UnitPrice": "2.550"], ["UnitPrice": "255e-2"], ["UnitPrice": "0.255E+1"], ["CustomerID": "17850.0"],
        ["CustomerID": "1785e1"],
        ["InvoiceNo": "536365"], ["Description": "\"WHITE \\u0048ANGING HEART\""], ["UnitPrice": nil, "Price": "2.55"],
        ["CustomerID": nil, "Customer ID": "17850"], ["InvoiceDate": "\"2010-12-01T08:26:00Z\""],
        ["InvoiceDate": "\"1/12/2010 8:26\""], ["Other": "1"],
    ]

    @Test(arguments: spellings)
    func `the content hash does not depend on spelling`(changes: [String: String?]) throws {
        var desk = try Desk("Contracts/invoices.yaml")
        let plain = try #require(try desk.refine(invoiceLine()).line)
        #expect(try desk.refine(invoiceLine(changes)).line?.contentHash == plain.contentHash)
    }

    static let contents: [[String: String?]] = [
        ["InvoiceNo": "\"5\""], ["StockCode": "\"x\""], ["Description": "null"], ["Description": "\"x\""],
        ["Quantity": "7"], ["UnitPrice": "2.56"],
        ["InvoiceDate": "\"01/12/2010 08:27\""], ["CustomerID": "1"], ["CustomerID": "null"], ["customerName": "\"x\""],
        ["Country": "\"x\""],
    ]

    @Test(arguments: contents)
    func `the content hash depends on every field`(changes: [String: String?]) throws {
        var desk = try Desk("Contracts/invoices.yaml")
        let plain = try #require(try desk.refine(invoiceLine()).line)
        let other = try #require(try desk.refine(invoiceLine(changes)).line)
        #expect(other.contentHash != plain.contentHash)
    }

    @Test
    func
        `order of members, white space and record_id change no hash; the identity is line number or record_id`()
        throws
    {
        var desk = try Desk("Contracts/invoices.yaml")
        let plain = try #require(try desk.refine(invoiceLine()).line)
        let body = invoiceLine().dropFirst().dropLast()
        let mixed =
            "\n{ "
            + body.components(separatedBy: ",\"").enumerated().reversed()
            .map { $0.offset == 0 ? $0.element : "\"" + $0.element }.joined(separator: " ,\t") + " }"
        #expect(try desk.refine(mixed).line == plain)
        let elsewhere = try #require(try desk.refine(invoiceLine(), id: Identifier(high: 0x1122, low: 3)).line)
        #expect(elsewhere.contentHash == plain.contentHash && elsewhere.identity != plain.identity)
        #expect(elsewhere.identity == ByteString([1, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0, 0, 0, 0, 0, 0, 0, 3]))
        let numbered = try #require(
            try desk.refine(invoiceLine(["client_line_no": "12"]), id: Identifier(high: 9, low: 9)).line
        )
        #expect(numbered.identity == ByteString([2] + Array("12".utf8)) && numbered.contentHash == plain.contentHash)
    }

    static let bad: [(String, PayloadFormat, String)] = [
        ("", .json, " bad_json"), ("{", .json, " bad_json"), ("[]", .json, " bad_json"), ("1", .json, " bad_json"),
        ("{}{}", .json, " bad_json"),
        ("\u{FEFF}{}", .json, " bad_json"), ("{\"a\":1,}", .json, " bad_json"),
        ("a,b", .csv(header: Desk.header, separator: 0x2C), " bad_csv"),
        ("\"a", .csv(header: Desk.header, separator: 0x2C), " bad_csv"),
    ]

    @Test(arguments: bad)
    func `bytes that cannot be read are one reason`(text: String, format: PayloadFormat, reason: String) throws {
        var desk = try Desk("Contracts/invoices.yaml")
        #expect(try desk.refine(text, format).reasons == [reason])
    }

    @Test func `a whole sale is one event, and numbers that the model cannot hold are reasons`() throws {
        let text = String(decoding: try packageText("Tests/RefineTests/Fixtures/shop.yaml"), as: UTF8.self)
        var desk = try Desk(text: Array(text.utf8))
        func sale(_ quantity: String, _ price: String, status: String = "closed") -> String {
            "{\"id\":\"r\",\"at\":\"2010-12-01T08:26:00Z\",\"v\":\"2010-12-01T09:00:00Z\",\"status\":\"\(status)\","
                + "\"lines\":[{\"p\":\"x\",\"q\":\(quantity),\"u\":\(price)}]}"
        }
        let event = try #require(try desk.refine(sale("1.5", "0.00001")).sale)
        #expect(event.header.versionAt == event.header.occurredAt.micros + 34 * 60_000_000)
        #expect(event.lines.map(\.amount) == [2], "half away from zero")
        #expect(try desk.refine(sale("1.5", "0.00001", status: "cancelled")).sale?.header.status == .cancelled)
        #expect(try desk.refine(sale("1.5", "0.00001", status: "lost")).reasons == ["status status"])
        #expect(try desk.refine(sale("9223372036854775.807", "0")).reasons == ["lines.q out_of_range"])
        #expect(try desk.refine(sale("-1000000000.001", "0")).reasons == ["lines.q out_of_range"])
        #expect(try desk.refine(sale("1000000000", "0")).sale?.lines.first?.quantity == 1_000_000_000_000)
        #expect(try desk.refine(sale("0.0001", "1")).reasons == ["lines.q too_many_decimals"])
        #expect(try desk.refine(sale("1000000000", "1.00001")).reasons == ["lines.q amount_limit"])
        #expect(try desk.refine(sale("0", "-92233720368547.75808")).reasons == ["lines.q amount_limit"])
    }

    /// TILL_FUZZ=full mutates a million records.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a mutated record ends in a verdict, the same twice`(shard: UInt64) throws {
        let count = ProcessInfo.processInfo.environment["TILL_FUZZ"] == "full" ? 250_000 : 5_000
        var random = SeededRandom(seed: 77 + shard)
        var desk = try Desk(shard % 2 == 0 ? "Contracts/invoices.yaml" : "Contracts/invoices-compat.yaml")
        var other = try Desk(shard % 2 == 0 ? "Contracts/invoices.yaml" : "Contracts/invoices-compat.yaml")
        let csv = PayloadFormat.csv(header: Desk.header, separator: 0x2C)
        let seeds = [
            (Array(invoiceLine(["client_line_no": "1"]).utf8), PayloadFormat.json),
            (Array(invoiceLine(["Description": "\"é😀\\n\\ud83d\\ude00\""]).utf8), .json),
            (
                Array(
                    "C536365,85123A,\"WHITE \"\"HANGING\"\" HEART\",-6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom"
                        .utf8
                ), csv
            ),
        ]
        let pieces =
            [
                "", "null", "true", "{", "}", "[", "]", "\"", ",", ":", "1e400", "-", "0", "9", "99999999999999999999",
                "\\u0000", "\\ud800", "\0", "é", "1.5", "e", "\n", " ",
            ].map { Array($0.utf8) }
            + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]
        var accepted = 0
        for number in 0..<count {
            var (bytes, format) = seeds[Int(random.next() % 3)]
            for _ in 0..<(1 + random.next() % 4) where !bytes.isEmpty {
                let at = Int(random.next() % UInt64(bytes.count))
                let end = min(bytes.count, at + Int(random.next() % 6))
                switch random.next() % 5 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(at..<end)
                case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int(random.next() % UInt64(bytes.count)))
                case 3: bytes.replaceSubrange(at..<end, with: pieces[Int(random.next() % UInt64(pieces.count))])
                default: bytes[at] = UInt8(0x30 + random.next() % 10)
                }
            }
            let verdict = try desk.refine(bytes, format)
            switch verdict {
            case .accepted: accepted += 1
            case .rejected(let reasons): if reasons.isEmpty { Issue.record("no reason: \(bytes)") }
            }
            if number % 8 == 0 {
                let again = try other.refine(bytes, format)
                if again.line != verdict.line || again.reasons != verdict.reasons {
                    Issue.record("two verdicts: \(bytes)")
                }
            }
        }
        #expect(accepted > count / 50 && accepted < count, "both ends are met")
    }
}
