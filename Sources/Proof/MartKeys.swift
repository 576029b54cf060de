import Primitives
import RetailModel
import Tables

/// Keys of the rows of sums, as their rows begin.
enum MartKeys {
    private static let salesHour = TableShape.of(RetailTables.salesHour).number
    private static let salesDay = TableShape.of(RetailTables.salesDay).number
    private static let productDay = TableShape.of(RetailTables.productDay).number
    private static let productTotal = TableShape.of(RetailTables.productTotal).number
    private static let customerTotal = TableShape.of(RetailTables.customerTotal).number
    private static let cancellationDay = TableShape.of(RetailTables.cancellationDay).number
    private static let userProducts = TableShape.of(RetailTables.userProduct).number
    private static let userCategories = TableShape.of(RetailTables.userCategory).number

    private static func begin(_ table: UInt8) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(80)
        key.append(table)
        return key
    }

    static func hour(_ source: ByteString, _ store: ByteString, _ hour: Int64, _ currency: Int64) -> ByteString {
        var key = begin(salesHour)
        key.appendCell(text: source)
        key.appendCell(text: store)
        key.appendCell(hour)
        key.appendCell(currency)
        return ByteString(key)
    }

    static func day(_ document: DocumentProof, _ day: Int64, _ currency: Int64) -> ByteString {
        var key = begin(salesDay)
        key.appendCell(day)
        if let country = document.header.country { key.appendCell(text: country) } else { key.append(0) }
        key.appendCell(text: document.header.source)
        key.appendCell(text: document.header.store)
        key.appendCell(currency)
        return ByteString(key)
    }

    static func productDay(
        _ source: ByteString,
        _ product: ByteString,
        _ day: Int64,
        _ currency: Int64
    ) -> ByteString {
        var key = begin(productDay)
        key.appendCell(day)
        key.appendCell(text: source)
        key.appendCell(text: product)
        key.appendCell(currency)
        return ByteString(key)
    }

    static func product(_ source: ByteString, _ product: ByteString, _ currency: Int64) -> ByteString {
        named(productTotal, source, product, currency)
    }

    static func customer(_ source: ByteString, _ customer: ByteString, _ currency: Int64) -> ByteString {
        named(customerTotal, source, customer, currency)
    }

    private static func named(
        _ table: UInt8,
        _ source: ByteString,
        _ key: ByteString,
        _ currency: Int64
    ) -> ByteString {
        var out = begin(table)
        out.appendCell(text: source)
        out.appendCell(text: key)
        out.appendCell(currency)
        return ByteString(out)
    }

    static func cancellation(_ day: Int64, _ currency: Int64) -> ByteString {
        var key = begin(cancellationDay)
        key.appendCell(day)
        key.appendCell(currency)
        return ByteString(key)
    }

    static func userProduct(_ source: ByteString, _ customer: ByteString, _ product: ByteString) -> ByteString {
        pair(userProducts, source, customer, product)
    }

    static func userCategory(_ source: ByteString, _ customer: ByteString, _ category: ByteString) -> ByteString {
        pair(userCategories, source, customer, category)
    }

    private static func pair(_ table: UInt8, _ source: ByteString, _ a: ByteString, _ b: ByteString) -> ByteString {
        var key = begin(table)
        key.appendCell(text: source)
        key.appendCell(text: a)
        key.appendCell(text: source)
        key.appendCell(text: b)
        return ByteString(key)
    }
}
