/// One mistake in a contract's text.
package struct ContractProblem: Error, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 1-based.
    package let line: Int
    /// 1-based, in Unicode scalars.
    package let column: Int
    /// Fact and remedy.
    package let message: String

    package init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String { "line \(line), column \(column): \(message)" }

    package static func < (a: Self, b: Self) -> Bool {
        (a.line, a.column, a.message) < (b.line, b.column, b.message)
    }
}

/// All mistakes of a contract's text, sorted by place; at most ``ContractLimits/problemsMax``.
package struct ContractProblems: Error, Equatable, Sendable, CustomStringConvertible {
    package let problems: [ContractProblem]

    package init(_ problems: [ContractProblem]) { self.problems = problems }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
