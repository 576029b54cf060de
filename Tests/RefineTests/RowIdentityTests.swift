import Contracts
import Ports
import Primitives
import Testing

@testable import Refine

/// The same row has one identity however it is written (spec model 1.7).
@Suite struct RowIdentityTests {
    private static func csv(_ header: String, _ separator: UInt8 = 0x2C) -> PayloadFormat {
        .csv(header: ByteString(header), separator: separator)
    }

    private static let names = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

    private func digest(
        _ row: String,
        _ format: PayloadFormat,
        _ change: (String) -> String = { $0 }
    ) throws -> Digest {
        let first = try contract()
        var hasher = RowHasher(try contract(change), RowIdentity(first))
        let bytes = Array("<\(row)>".utf8)
        return hasher.digest(bytes, 1..<bytes.count - 1, format)
    }

    private func contract(_ change: (String) -> String = { $0 }) throws -> Contract {
        let text = change(String(decoding: try packageText("Contracts/invoices.yaml"), as: UTF8.self))
        return try Contract.parse(Array(text.utf8), mappers: Mappers.signatures).get()
    }

    @Test(
        arguments: [
            ("1,A,x,1,01/12/2031 08:26,2.50,17850,UK", csv(names)),
            ("1,A,x,1,01/12/2031 08:26,2.5,17850.0,UK", csv(names)),
            ("\"1\",A,\"x\",1,2031-12-01 08:26:00,2.500,17850,\"UK\"", csv(names)),
            ("1\tA\tx\t1\t2031-12-01T08:26:00Z\t2.5\t17850\tUK", csv(names.replacing(",", with: "\t"), 9)),
            (
                "UK,17850,x,1,01/12/2031 08:26,2.5,1,A,seen by nobody",
                csv("Country,CustomerID,Description,Quantity,InvoiceDate,UnitPrice,InvoiceNo,StockCode,Remark")
            ),
            ("1,A,x,1,01/12/2031 08:26,2.50,17850,UK", csv(names.replacing("UnitPrice", with: "Price"))),
            (
                """
                {"InvoiceNo":1,"StockCode":"A","Description":"\\u0078","Quantity":1,"InvoiceDate":"01/12/2031 08:26",\
                "UnitPrice":2.5e0,"CustomerID":17850,"Country":"UK"}
                """, .json
            ),
        ] as [(String, PayloadFormat)]
    )
    func `a row written otherwise is the same row`(row: String, format: PayloadFormat) throws {
        let expected = try digest("1,A,x,1,01/12/2031 08:26,2.50,17850,UK", Self.csv(Self.names))
        #expect(try digest(row, format) == expected)
        // Ids in logs depend on it: it never changes.
        #expect(expected.description == "cec575d5d9cc2b3f17e690b3198eab30fd5b064efb1e9f83bac4d6753db8545a")
    }

    @Test(arguments: [
        "2,A,x,1,01/12/2031 08:26,2.50,17850,UK", "1,B,x,1,01/12/2031 08:26,2.50,17850,UK",
        "1,A,y,1,01/12/2031 08:26,2.50,17850,UK", "1,A,x,2,01/12/2031 08:26,2.50,17850,UK",
        "1,A,x,1,01/12/2031 08:27,2.50,17850,UK", "1,A,x,1,01/12/2031 08:26,2.51,17850,UK",
        "1,A,x,1,01/12/2031 08:26,2.50,,UK", "1,A,x,1,01/12/2031 08:26,2.50,17850,U",
        "1,A,,1,01/12/2031 08:26,2.50,17850,UK",
    ])
    func `another value is another row`(row: String) throws {
        let known = try digest("1,A,x,1,01/12/2031 08:26,2.50,17850,UK", Self.csv(Self.names))
        #expect(try digest(row, Self.csv(Self.names)) != known)
    }

    /// Nobody knows what it says: two spellings of it are two rows.
    @Test func `a row that cannot be read has the identity of its bytes`() throws {
        for row in ["1,A,x,one,01/12/2031 08:26,2.50,17850,UK", "1,A", "\"1,A"] {
            #expect(try digest(row, Self.csv(Self.names)) == .sha256(of: Array(row.utf8)))
        }
    }

    @Test func `a later contract does not make other rows of the old ones`() throws {
        let row = "1,A,x,1,01/12/2031 08:26,2.50,17850,UK"
        let known = try digest(row, Self.csv(Self.names))
        // A field is renamed, with its parameter; a rule refuses the row; another field comes.
        #expect(
            try digest(row, Self.csv(Self.names.replacing("StockCode", with: "Code"))) {
                $0.replacing("StockCode", with: "Code")
            } == known
        )
        #expect(
            try digest(row, Self.csv(Self.names)) {
                $0.changing("fields:\n", "fields:\n  - name: Till\n    type: text\n    default: none\n")
                    .changing(
                        "rules:\n",
                        "rules:\n  - id: no_a\n    field: StockCode\n    check: StockCode != \"A\"\n    on_failure: reject\n    message: no\n"
                    )
            } == known
        )
    }

    @Test func `a contract says which fields make a row`() throws {
        let text = String(decoding: try packageText("Contracts/invoices.yaml"), as: UTF8.self)
        let chosen = try Contract.parse(
            Array(
                text.changing("version_time: null\n", "version_time: null\nrow_identity: [InvoiceNo, StockCode]\n").utf8
            ),
            mappers: Mappers.signatures
        ).get()
        #expect(RowIdentity(chosen).parts == ["document", "product"])
        var hasher = RowHasher(chosen, RowIdentity(chosen))
        let rows = [
            "1,A,x,1,01/12/2031 08:26,2.50,17850,UK", "1,A,y,9,01/12/2031 08:26,3,,UK",
            "1,B,y,9,01/12/2031 08:26,3,,UK",
        ]
        let digests = rows.map { hasher.digest(Array($0.utf8), 0..<$0.utf8.count, Self.csv(Self.names)) }
        #expect(digests[0] == digests[1] && digests[1] != digests[2])
        for (wrong, sentence) in [
            ("[]", "row_identity names no field"), ("[InvoiceNo, InvoiceNo]", "twice"),
            ("[Invoice]", "is not declared"),
        ] {
            let parsed = Contract.parse(
                Array(text.changing("version_time: null\n", "version_time: null\nrow_identity: \(wrong)\n").utf8),
                mappers: Mappers.signatures
            )
            guard case .failure(let problems) = parsed else {
                Issue.record("\(wrong) was taken")
                continue
            }
            #expect("\(problems)".contains(sentence), "\(problems)")
        }
    }
}
