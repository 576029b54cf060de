/// One kind of bad record: the change to a good record that makes exactly one rule reject it.
package struct Flaw: Sendable, Hashable {
    enum Change: Sendable, Hashable {
        /// The whole record is this text.
        case whole(String)
        /// The record ends too early.
        case cut
        /// The first value under a key becomes this JSON text.
        case replace(String, with: String)
        /// The last value under a key.
        case replaceLast(String, with: String)
        /// Removes the first key of this name with its value. It must not be the last of its object.
        case remove(String)
        /// Repeats the first element of an array.
        case repeatFirst(String)
    }

    package let name: String
    let change: Change

    private init(_ name: String, _ change: Change) {
        self.name = name
        self.change = change
    }

    package static let ofSales: [Flaw] = [
        Flaw("cut_json", .cut),
        Flaw("no_object", .whole("[]")),
        Flaw("store_missing", .remove("store_id")),
        Flaw("quantity_text", .replace("quantity", with: "\"2\"")),
        Flaw("quantity_negative", .replace("quantity", with: "-1")),
        Flaw("quantity_fraction", .replace("quantity", with: "1.5")),
        Flaw("store_unknown", .replace("store_id", with: "\"STORE_11\"")),
        Flaw("cashier_unknown", .replace("cashier_id", with: "\"CASHIER_9\"")),
        Flaw("digits_not_ascii", .replace("store_id", with: "\"STORE_٣\"")),
        Flaw("time_unreadable", .replace("timestamp", with: "\"yesterday\"")),
        Flaw("time_without_offset", .replace("timestamp", with: "\"2024-12-19T18:42:24.008000\"")),
        Flaw("no_items", .replace("items", with: "[]")),
        Flaw("item_twice", .repeatFirst("items")),
        Flaw("item_no_object", .replace("items", with: "[1]")),
        Flaw("payment_method_unknown", .replace("payment_method", with: "\"barter\"")),
        Flaw("payment_status_unknown", .replace("payment_status", with: "\"perhaps\"")),
        Flaw("loyalty_negative", .replace("loyalty_points_earned", with: "-5")),
        Flaw("price_negative", .replace("price_per_unit", with: "-1.00")),
        Flaw("total_text", .replace("total_amount", with: "\"4.57\"")),
        Flaw("total_not_a_number", .replace("total_amount", with: "NaN")),
        Flaw("total_null", .replace("total_amount", with: "null")),
        Flaw("id_no_uuid", .replace("transaction_id", with: "\"4711\"")),
        Flaw("customer_null", .replace("customer_id", with: "null")),
        Flaw("receipt_total_negative", .replaceLast("total_amount", with: "-1.00")),
    ]

    package static let ofOrders: [Flaw] = [
        Flaw("cut_json", .cut),
        Flaw("no_object", .whole("[]")),
        Flaw("type_unknown", .replace("object_type", with: "\"refund\"")),
        Flaw("user_missing", .remove("user")),
        Flaw("restaurant_number", .replace("restaurant", with: "{\"id\":7}")),
        Flaw("number_text", .replace("object_id", with: "\"order-7\"")),
        Flaw("time_unreadable", .replace("date", with: "\"yesterday\"")),
        Flaw("time_without_offset", .replace("update_ts", with: "\"2025-02-22T09:56:14.049848\"")),
        Flaw("no_items", .replace("order_items", with: "[]")),
        Flaw("quantity_negative", .replace("quantity", with: "-1")),
        Flaw("quantity_fraction", .replace("quantity", with: "1.5")),
        Flaw("quantity_text", .replace("quantity", with: "\"2\"")),
        Flaw("price_text", .replace("price", with: "\"641\"")),
        Flaw("price_negative", .replace("price", with: "-1")),
        Flaw("cost_negative", .replace("cost", with: "-1")),
        Flaw("payment_negative", .replace("payment", with: "-1")),
        Flaw("status_unknown", .replace("final_status", with: "\"EATEN\"")),
        Flaw("history_unknown", .replace("status", with: "\"EATEN\"")),
        Flaw("bonus_negative", .replace("bonus_payment", with: "-1")),
        Flaw("number_not_ascii", .replace("object_id", with: "٣")),
    ]

    /// The damaged record.
    package func apply(to record: [UInt8]) -> [UInt8] {
        switch change {
        case .whole(let text): return Array(text.utf8)
        case .cut: return Array(record.dropLast(record.count / 3))
        case .replace(let key, let text): return replaced(record, Self.value(of: key, in: record), text)
        case .replaceLast(let key, let text):
            return replaced(record, Self.value(of: key, in: record, last: true), text)
        case .remove(let key):
            let value = Self.value(of: key, in: record)
            var out = record
            // The key with quotes and colon before the value, the comma after it.
            out.removeSubrange(value.lowerBound - key.utf8.count - 3..<value.upperBound + 1)
            return out
        case .repeatFirst(let key):
            let array = Self.value(of: key, in: record)
            let first = array.lowerBound + 1..<Self.end(of: record, from: array.lowerBound + 1)
            var out = record
            out.insert(contentsOf: Array(record[first]) + [UInt8(ascii: ",")], at: first.lowerBound)
            return out
        }
    }

    private func replaced(_ record: [UInt8], _ range: Range<Int>, _ text: String) -> [UInt8] {
        var out = record
        out.replaceSubrange(range, with: text.utf8)
        return out
    }

    /// Where the value under a key stands. Records are written here, compactly: a key is found by its bytes.
    private static func value(of key: String, in record: [UInt8], last: Bool = false) -> Range<Int> {
        let wanted = Array("\"\(key)\":".utf8)
        let starts = (0...record.count - wanted.count).lazy.filter { at in
            record[at] == wanted[0] && record[at..<at + wanted.count].elementsEqual(wanted)
        }
        guard let at = last ? starts.last : starts.first else {
            preconditionFailure("a generated record has the key \(key)")
        }
        let start = at + wanted.count
        return start..<end(of: record, from: start)
    }

    /// The end of the JSON value that begins at `start`.
    private static func end(of record: [UInt8], from start: Int) -> Int {
        var depth = 0
        var isInText = false
        for at in start..<record.count {
            let byte = record[at]
            if isInText {
                if byte == 0x22 { isInText = false }
            } else if byte == 0x22 {
                isInText = true
            } else if byte == 0x7B || byte == 0x5B {
                depth += 1
            } else if byte == 0x7D || byte == 0x5D {
                depth -= 1
                if depth < 0 { return at }
            } else if byte == 0x2C, depth == 0 {
                return at
            }
        }
        return record.count
    }
}
