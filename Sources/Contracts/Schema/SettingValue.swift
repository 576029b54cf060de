package import Primitives

/// The value of one setting of a contract.
package enum SettingValue: Hashable, Sendable {
    case text(ByteString)
    case decimal(Decimal)
    case boolean(Bool)
    case texts([ByteString])
    case decimals([Decimal])
}
