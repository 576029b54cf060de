import Primitives

/// Invoice lines prepared in advance from a seed; only the digits that make an event unique change per use.
///
/// Event n has client_line_no n and belongs to invoice n / 20, of one customer and time, as in a real feed: about
/// 2.3 KB
/// of NDJSON per invoice, 230 bytes per line. The same seed and n give the same bytes.
struct Requests {
    /// One request that is ready to be sent: its template, patched for these events.
    struct Prepared {
        var template: Int
        var firstEvent: Int
        /// Sum of quantity × price in hundredths.
        var hundredths: Int64
    }

    static let linesPerInvoice = 20
    /// Lines that differ in product, quantity and price; then they come again under other numbers.
    static let variants = 60_000

    private struct Places {
        var invoice: Int
        var line: Int
    }

    let batch: Int
    private var templates: [[UInt8]] = []
    private var places: [[Places]] = []
    private var sums: [Int64] = []
    private(set) var nextEvent: Int

    /// - Parameter isBare: Bodies only, without the HTTP head.
    init(seed: UInt64, batch: Int, host: String, first: Int, isBare: Bool = false) {
        self.batch = batch
        nextEvent = first
        var random = SeededRandom(seed: seed)
        let catalogue = Catalogue(&random)
        // Whole invoices per round, so that the lines of one invoice agree when templates come again.
        let count = max(Self.linesPerInvoice, Self.variants / batch / Self.linesPerInvoice * Self.linesPerInvoice)
        var invoice = catalogue.invoice(&random)
        var event = 0
        for _ in 0..<count {
            var body: [UInt8] = []
            var marks: [Places] = []
            var sum: Int64 = 0
            for index in 0..<batch {
                if event % Self.linesPerInvoice == 0 { invoice = catalogue.invoice(&random) }
                event += 1
                let line = catalogue.line(&random, invoice)
                marks.append(Places(invoice: body.count + line.invoiceAt, line: body.count + line.lineAt))
                body += line.bytes
                if index + 1 < batch { body.append(0x0A) }
                sum += line.hundredths
            }
            let type = batch == 1 ? "application/json" : "application/x-ndjson"
            let head =
                isBare
                ? ""
                : "POST /v1/feeds/invoices HTTP/1.1\r\nhost: \(host)\r\ncontent-type: \(type)\r\ncontent-length: \(body.count)\r\n\r\n"
            let offset = head.utf8.count
            templates.append(Array(head.utf8) + body)
            places.append(marks.map { Places(invoice: $0.invoice + offset, line: $0.line + offset) })
            sums.append(sum)
        }
    }

    /// The next request; its bytes are in ``template(_:)`` until the template's next turn.
    mutating func next() -> Prepared {
        let request = Prepared(template: nextEvent / batch % templates.count, firstEvent: nextEvent, hundredths: 0)
        var prepared = request
        prepared.hundredths = sums[request.template]
        for (index, place) in places[request.template].enumerated() {
            let event = nextEvent + index
            Self.put(event / Self.linesPerInvoice + 100_000_000, at: place.invoice, &templates[request.template])
            Self.put(event + 1_000_000_000, at: place.line, &templates[request.template])
        }
        nextEvent += batch
        return prepared
    }

    func template(_ request: Prepared) -> [UInt8] { templates[request.template] }

    /// Writes the last ten digits of a number.
    private static func put(_ number: Int, at position: Int, _ bytes: inout [UInt8]) {
        var rest = number
        var at = position + 9
        while at >= position {
            bytes[at] = 0x30 + UInt8(rest % 10)
            rest /= 10
            at -= 1
        }
    }
}

/// Products, customers and countries that look like the public data set's.
private struct Catalogue {
    struct Invoice {
        var customer: Int
        var country: String
        var time: String
    }

    private var products: [(code: String, name: String, pence: Int)] = []
    private static let colours = [
        "WHITE", "RED", "PINK", "BLUE", "GREEN", "IVORY", "SILVER", "VINTAGE", "RETRO", "PAPER",
    ]
    private static let things = [
        "HANGING HEART T-LIGHT HOLDER", "METAL LANTERN", "CUPID HEARTS COAT HANGER", "UNION FLAG HOT WATER BOTTLE",
        "WOOLLY HOTTIE", "GLASS STAR FROSTED HOLDER", "HAND WARMER", "POLKADOT BOWL", "ASSORTED BIRD ORNAMENT",
        "LUNCH BOX WITH CUTLERY", "CAKE STAND 3 TIER", "JUMBO BAG RETROSPOT", "PARTY BUNTING", "ALARM CLOCK BAKELIKE",
        "SET OF 6 SPICE TINS", "FELTCRAFT DOLL KIT",
    ]

    init(_ random: inout SeededRandom) {
        for index in 0..<4_000 {
            let colour = Self.colours[Int.random(in: 0..<Self.colours.count, using: &random)]
            let thing = Self.things[Int.random(in: 0..<Self.things.count, using: &random)]
            products.append(("\(20_000 + index)", "\(colour) \(thing)", Int.random(in: 19...1_995, using: &random)))
        }
    }

    func invoice(_ random: inout SeededRandom) -> Invoice {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let customer = Int.random(in: 12_346...18_287, using: &random)
        let country =
            customer % 10 == 0
            ? ["Germany", "France", "EIRE", "Spain", "Netherlands"][customer / 10 % 5] : "United Kingdom"
        let day = two(Int.random(in: 1...30, using: &random))
        let hour = two(Int.random(in: 8...19, using: &random))
        let minute = two(Int.random(in: 0...59, using: &random))
        return Invoice(customer: customer, country: country, time: "2011-11-\(day) \(hour):\(minute):00")
    }

    /// One line as JSON; ten digits at each place are to be filled.
    func line(_ random: inout SeededRandom, _ invoice: Invoice) -> (
        bytes: [UInt8], invoiceAt: Int, lineAt: Int, hundredths: Int64
    ) {
        let product = products[Int.random(in: 0..<products.count, using: &random)]
        let quantity = Int.random(in: 1...24, using: &random)
        let pence = product.pence % 100
        let price = "\(product.pence / 100)." + (pence < 10 ? "0\(pence)" : "\(pence)")
        var bytes = Array("{\"InvoiceNo\":\"".utf8)
        let invoiceAt = bytes.count
        bytes += Array(
            "0000000000\",\"StockCode\":\"\(product.code)\",\"Description\":\"\(product.name)\",\"Quantity\":\(quantity),\"InvoiceDate\":\"\(invoice.time)\",\"UnitPrice\":\(price),\"CustomerID\":\(invoice.customer),\"Country\":\"\(invoice.country)\",\"client_line_no\":\""
                .utf8
        )
        let lineAt = bytes.count
        bytes += Array("0000000000\"}".utf8)
        return (bytes, invoiceAt, lineAt, Int64(quantity * product.pence))
    }
}
