/// What a mapper wants of a contract. The table of mappers belongs to the caller; this module knows no mapper by name.
package struct MapperSignature: Sendable {
    package struct Parameter: Sendable {
        /// `document`; nested ones are written as in the binding: `lines.quantity`.
        package let name: String
        package let types: Set<FieldType>
        /// Bound, and to a field that is never null.
        package let isRequired: Bool
        /// Bound to a field of a list; all nested parameters of a mapper are of one list.
        package let isNested: Bool

        package init(_ name: String, _ types: Set<FieldType>, isRequired: Bool = true, isNested: Bool = false) {
            self.name = name
            self.types = types
            self.isRequired = isRequired
            self.isNested = isNested
        }
    }

    package let parameters: [Parameter]
    /// Settings that the contract must declare.
    package let settings: [String]

    package init(parameters: [Parameter], settings: [String] = []) {
        self.parameters = parameters
        self.settings = settings
    }
}
