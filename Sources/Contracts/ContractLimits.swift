/// Every limit of a contract and of validating one event, in one place.
package enum ContractLimits {
    /// Mistakes reported at once; a person corrects a page at a time.
    package static let problemsMax = 100
    /// Fields of one level. A wide export has about 80 columns.
    package static let fieldsMax = 200
    package static let aliasesMax = 8
    package static let settingsMax = 100
    /// Entries of one list of a setting, an enum or `in [...]`.
    package static let listEntriesMax = 1_000
    /// Words that mean null in one field: each is compared with every value, so sixteen of 64 bytes are 1 KiB.
    package static let nullWordsMax = 16
    package static let rulesMax = 100
    package static let formatsMax = 8
    package static let referencesMax = 20
    package static let nameBytesMax = 64
    /// Members that lead to a field (`at`); JSON itself may be 32 deep.
    package static let placeDepthMax = 8
    /// Rows that one rule gives a reason for.
    package static let rowsReportedMax = 100
    /// Reasons of one event, before one that says how many more there are: at 500 bytes each 50 KiB, though a list of
    /// 10,000 numbers breaks as many rules.
    package static let reasonsMax = 100
    package static let windowSecondsMax = 86_400
    /// A week: how long a window may wait for late or missing sales.
    package static let windowWaitSecondsMax = 604_800
    package static let messageBytesMax = 400

    /// Bytes of one text value when the contract does not say.
    package static let textBytesDefault = 1_024
    /// Bytes a contract may allow for one text value: fits a log record of 1 MiB 16 times.
    package static let textBytesMax = 65_536
    package static let listItemsDefault = 1_000
    package static let listItemsMax = 10_000
    /// Fraction digits of a `decimal` field; products of two such fields keep within the 30 of `Decimal`.
    package static let fractionDigitsMax = 15
    /// Fraction digits that rules see of an amount before it is rounded to five (`exact`): all 17 digits of a binary
    /// float from 0.001 on, and a line of 10^9 or a sum of a thousand such lines stays within the 38 digits of `Decimal`.
    package static let exactDigitsMax = 20

    /// Bytes of one expression.
    package static let expressionBytesMax = 2_048
    /// Parts inside one another in one expression; bounds the recursion of parser, checker and evaluator.
    package static let expressionDepthMax = 32
    /// Compiled parts of all expressions of one contract.
    package static let expressionNodesMax = 10_000

    /// Instructions of one compiled pattern. 256 × 65,536 bytes of text is 16 million steps, under `stepsMax`.
    package static let patternInstructionsMax = 256
    package static let patternBytesMax = 500
    package static let patternDepthMax = 16
    package static let patternGroupsMax = 9
    package static let repetitionMax = 255

    /// Work of one validation: evaluated parts and pattern instructions × characters. About 0.1 s at worst; a typical
    /// sale of 10 lines takes 300.
    package static let stepsMax = 20_000_000
}
