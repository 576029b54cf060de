import Primitives
import RetailModel
import Tables

/// Keys of the rows of sums, as their rows begin.
enum MartKeys {
    private static let salesHour = TableShape.of(RetailTables.salesHour).number
    private static let salesDay = TableShape.of(RetailTables.salesDay).number
    private static let salesTotal = TableShape.of(RetailTables.salesTotal).number
    private static let productCountry = TableShape.of(RetailTables.productCountry).number
    private static let productDay = TableShape.of(RetailTables.productDay).number
    private static let productTotal = TableShape.of(RetailTables.productTotal).number
    private static let customerTotal = TableShape.of(RetailTables.customerTotal).number
    private static let cancellationDay = TableShape.of(RetailTables.cancellationDay).number
    private static let userProducts = TableShape.of(RetailTables.userProduct).number
    private static let userCategories = TableShape.of(RetailTables.userCategory).number

    static func hour(
        _ source: ByteString,
        _ store: ByteString,
        _ hour: Int64,
        _ currency: Int64,
        into key: inout ByteBuilder
    ) {
        key.append(salesHour)
        key.appendCell(text: source)
        key.appendCell(text: store)
        key.appendCell(hour)
        key.appendCell(currency)
    }

    static func day(_ header: DocumentHeader, _ day: Int64, _ currency: Int64, into key: inout ByteBuilder) {
        key.append(salesDay)
        key.appendCell(day)
        if let country = header.country { key.appendCell(text: country) } else { key.append(0) }
        key.appendCell(text: header.source)
        key.appendCell(text: header.store)
        key.appendCell(currency)
    }

    static func total(_ currency: Int64, into key: inout ByteBuilder) {
        key.append(salesTotal)
        key.appendCell(currency)
    }

    static func productCountry(
        _ header: DocumentHeader,
        _ product: ByteString,
        _ currency: Int64,
        into key: inout ByteBuilder
    ) {
        key.append(productCountry)
        if let country = header.country { key.appendCell(text: country) } else { key.append(0) }
        key.appendCell(text: header.source)
        key.appendCell(text: product)
        key.appendCell(currency)
    }

    static func productDay(
        _ source: ByteString,
        _ product: ByteString,
        _ day: Int64,
        _ currency: Int64,
        into key: inout ByteBuilder
    ) {
        key.append(productDay)
        key.appendCell(day)
        key.appendCell(text: source)
        key.appendCell(text: product)
        key.appendCell(currency)
    }

    static func product(
        _ source: ByteString,
        _ product: ByteString,
        _ currency: Int64,
        into key: inout ByteBuilder
    ) {
        named(productTotal, source, product, currency, into: &key)
    }

    static func customer(
        _ source: ByteString,
        _ customer: ByteString,
        _ currency: Int64,
        into key: inout ByteBuilder
    ) {
        named(customerTotal, source, customer, currency, into: &key)
    }

    static func cancellation(_ day: Int64, _ currency: Int64, into key: inout ByteBuilder) {
        key.append(cancellationDay)
        key.appendCell(day)
        key.appendCell(currency)
    }

    static func userProduct(
        _ source: ByteString,
        _ customer: ByteString,
        _ product: ByteString,
        into key: inout ByteBuilder
    ) {
        pair(userProducts, source, customer, product, into: &key)
    }

    static func userCategory(
        _ source: ByteString,
        _ customer: ByteString,
        _ category: ByteString,
        into key: inout ByteBuilder
    ) {
        pair(userCategories, source, customer, category, into: &key)
    }

    private static func named(
        _ table: UInt8,
        _ source: ByteString,
        _ name: ByteString,
        _ currency: Int64,
        into key: inout ByteBuilder
    ) {
        key.append(table)
        key.appendCell(text: source)
        key.appendCell(text: name)
        key.appendCell(currency)
    }

    private static func pair(
        _ table: UInt8,
        _ source: ByteString,
        _ a: ByteString,
        _ b: ByteString,
        into key: inout ByteBuilder
    ) {
        key.append(table)
        key.appendCell(text: source)
        key.appendCell(text: a)
        key.appendCell(text: source)
        key.appendCell(text: b)
    }
}
