/// What a mapper wants of a contract. The table of mappers belongs to the caller; this module knows no mapper by name.
package struct MapperSignature: Sendable {
    package struct Parameter: Sendable {
        /// `document`; nested ones are written as in the binding: `lines.quantity`.
        package let name: String
        package let types: Set<FieldType>
        /// Bound, and to a field that is never null.
        package let isRequired: Bool
        /// Bound to a field of a list; all nested parameters that begin alike are of one list.
        package let isNested: Bool
        /// Where it is bound, the field is never null.
        package let isNeverNull: Bool

        package init(
            _ name: String,
            _ types: Set<FieldType>,
            isRequired: Bool = true,
            isNested: Bool = false,
            isNeverNull: Bool? = nil
        ) {
            self.name = name
            self.types = types
            self.isRequired = isRequired
            self.isNested = isNested
            self.isNeverNull = isNeverNull ?? isRequired
        }

        /// `lines` of `lines.quantity`.
        var group: String { String(name.prefix { $0 != "." }) }
    }

    /// Parts of the contract language that only some mappers give a meaning.
    package enum Feature: Sendable {
        /// Settings `window_…`.
        case windows
        /// `document_kinds`.
        case documentKinds
        /// `second_version_time`.
        case secondVersionTime
        /// The mapper makes documents; those of one source are told apart by their numbers only.
        case documents
        /// `reference` with `required: true`.
        case requiredReferences
    }

    package let parameters: [Parameter]
    /// Settings that the contract must declare; not those whose parameter of the same name is bound and never null.
    package let settings: [String]
    /// Settings with a closed set of values; the contract may leave them out unless ``settings`` names them.
    package let choices: [String: [String]]
    /// Parameters that are bound together or not at all.
    package let together: [[String]]
    /// Settings that the mapper reads when the contract has them, besides ``settings`` and ``choices``.
    package let reads: Set<String>
    package let features: Set<Feature>

    package init(
        parameters: [Parameter],
        settings: [String] = [],
        choices: [String: [String]] = [:],
        together: [[String]] = [],
        reads: Set<String> = [],
        features: Set<Feature> = []
    ) {
        self.parameters = parameters
        self.settings = settings
        self.choices = choices
        self.together = together
        self.reads = reads
        self.features = features
    }
}
