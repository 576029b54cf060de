import Contracts
import Foundation
import Ports
import Primitives
import Refine

/// Records of sales, orders and reference data as their senders make them, in rounds.
struct TradeRounds {
    /// 2025-03-01 10:00:00 UTC, seconds since 1970.
    static let start: Int64 = 1_740_823_200

    let book = ContractBook()
    private(set) var contracts: [String: Contract] = [:]
    /// Of sales, with stores to 80: what a redrive is refined by.
    private var laterPos: Contract?

    init() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for name in ["pos", "orders", "users", "restaurants"] {
            let text = try String(contentsOfFile: root + "/Contracts/\(name).yaml", encoding: .utf8)
            let contract = try Contract.parse(Array(text.utf8), mappers: Mappers.signatures).get()
            book.add(contract, isCurrent: true)
            contracts[name] = contract
            guard name == "pos" else { continue }
            let later = text.replacingOccurrences(of: "stores_max: 10", with: "stores_max: 80")
                .replacingOccurrences(of: "version: 1\n", with: "version: 2\n")
            let accepting = try Contract.parse(Array(later.utf8), mappers: Mappers.signatures).get()
            book.add(accepting, isCurrent: false)
            laterPos = accepting
        }
    }

    static func identifier(_ number: Int) -> Identifier { Identifier(high: 1, low: UInt64(number) << 32) }

    // MARK: Records

    static func time(_ seconds: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "2025-03-01T\(10 + seconds / 3_600):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
    }

    /// A sale of `count` pieces for 2.00 each.
    static func sale(_ number: Int, _ seconds: Int, _ count: Int = 1, store: String = "STORE_2") -> String {
        let id = "00000000-0000-4000-8000-0000000000\(10 + number)"
        let total = "\(2 * count).0"
        return """
            {"transaction_id":"\(id)","timestamp":"\(time(seconds))","store_id":"\(store)","cashier_id":"CASHIER_1",\
            "items":[{"item_id":"P1","name":"Milch","quantity":\(count),"price_per_unit":2.0,"total_price":\(total)}],\
            "total_amount":\(total),"payment_method":"cash","payment_status":"success","customer_id":"C1",\
            "loyalty_points_earned":1,"receipt":{"receipt_id":"R\(number)","date":"\(time(seconds))",\
            "total_amount":\(total),"payment_method":"cash","transaction_id":"\(id)"}}
            """
    }

    /// An order of one soup (100) and `teas` cups of tea (10 each); `version` is seconds after `seconds`.
    static func order(
        _ number: Int,
        _ seconds: Int,
        _ version: Int,
        _ status: String = "CLOSED",
        teas: Int = 1,
        user: String = "u1"
    ) -> String {
        let (cost, open, now) = (100 + 10 * teas, time(seconds), time(seconds + version))
        let later = status == "OPEN" ? "" : ",{\"status\":\"\(status)\",\"dttm\":\"\(now)\"}"
        return """
            {"object_id":\(number),"object_type":"order","sent_dttm":"\(now)","payload":{"restaurant":{"id":"r1"},\
            "date":"\(open)","user":{"id":"\(user)"},"order_items":[\
            {"id":"p1","name":"Soup","price":100,"category":"c","quantity":1},\
            {"id":"p2","name":"Tea","price":10,"category":"c","quantity":\(teas)}],"bonus_payment":0,"cost":\(cost),\
            "payment":\(cost),"bonus_grant":0,"statuses":[{"status":"OPEN","dttm":"\(open)"}\(later)],\
            "final_status":"\(status)","update_ts":"\(now)"}}
            """
    }

    static func user(_ key: String, _ name: String, _ day: Int = 1) -> String {
        "{\"_id\":\"\(key)\",\"name\":\"\(name)\",\"login\":\"l\",\"update_ts_utc\":\"2025-01-0\(day) 00:00:00\"}"
    }

    static func restaurant(_ day: Int, _ soup: String, _ tea: String) -> String {
        """
        {"_id":"r1","name":"Kitchen","menu":[{"_id":"p1","name":"Soup","price":100,"category":"\(soup)"},\
        {"_id":"p2","name":"Tea","price":10,"category":"\(tea)"}],"update_ts_utc":"2025-01-0\(day) 00:00:00"}
        """
    }

    // MARK: Rounds

    func round(_ feed: String, _ at: Int64, _ records: [String], sequence: Int64? = nil) -> SteppedLog.Round {
        guard let contract = contracts[feed] else { preconditionFailure("no contract \(feed)") }
        var round = SteppedLog.Round(feed: feed, at: at, records: records, contract: contract)
        if let sequence {
            round.sender = "till-1"
            round.sequence = sequence
        }
        return round
    }

    func again(_ action: EnvelopeAction, _ at: Int64, _ record: String, of number: Int, _ place: Int)
        -> SteppedLog.Round
    {
        var round = round("pos", at, [record])
        round.action = action
        round.ids = [Self.identifier(number).item(place)]
        if action == .redrive, let laterPos { round.contract = laterPos }
        return round
    }

    /// Windows closed by the watermark and by idleness, a late sale, corrections, parking and release, versions in
    /// both orders, a cancellation, counters that a menu of the past moves, redrives, a discard, gaps of sequences.
    var everything: [SteppedLog.Round] {
        let unknown = Self.sale(7, 6, 4, store: "STORE_77")
        let given = Self.sale(8, 6, 1, store: "STORE_99")
        let rivals = (4...6).flatMap { [Self.sale(1, 0, $0), Self.sale(2, 10, $0)] }
        let waiting = Self.order(9, 5, 60, user: "u9")
        var tick = round("pos", 400, [""])
        tick.action = .tick
        return [
            round("pos", 1, [Self.sale(1, 0), Self.sale(2, 10)], sequence: 1),
            round("orders", 2, [Self.order(1, 0, 60), Self.order(2, 5, 60, teas: 2), waiting]),
            round("users", 3, [Self.user("u1", "Anna"), "{}"]),
            round("pos", 5, [unknown, Self.sale(1, 0), Self.sale(2, 10, 3), given], sequence: 2),
            round("restaurants", 6, [Self.restaurant(2, "Soups", "Drinks")]),
            round("orders", 7, [Self.order(1, 0, 180, "CANCELLED"), Self.order(2, 5, 30, "OPEN")]),
            round("orders", 8, [Self.order(3, 20, 60, "OPEN"), Self.order(3, 20, 90, teas: 3), Self.order(2, 5, 60)]),
            round("pos", 32, [Self.sale(3, 31), Self.sale(4, 30, store: "STORE_3")], sequence: 5),
            round("pos", 33, [Self.sale(5, 3)] + rivals, sequence: 6),
            round("restaurants", 47, [Self.restaurant(1, "Old", "Old"), Self.restaurant(3, "Starters", "Hot drinks")]),
            again(.redrive, 48, unknown, of: 3, 0),
            again(.redrive, 49, unknown, of: 3, 0),
            again(.discard, 50, given, of: 3, 3),
            round("users", 51, [Self.user("u1", "Anna B.", 2)]),
            tick,
            round("pos", 401, [Self.sale(6, 12)], sequence: 7),
        ]
    }

    /// More parked orders than one commit releases.
    var manyParked: [SteppedLog.Round] {
        [
            round("orders", 1, (1...501).map { Self.order($0, $0 % 600, 60, teas: $0 % 4 + 1) }),
            round("users", 2, [Self.user("u1", "Anna")]),
            round("restaurants", 3, [Self.restaurant(1, "Soups", "Drinks")]),
            round("orders", 4, [Self.order(600, 7, 60)]),
        ]
    }
}
