/// Swift source with comments and string literals blanked out, so that a rule sees code only. Line numbers stay.
///
/// Knows line and nested block comments, plain, multi-line and raw strings. Code inside an interpolation is blanked
/// with its string.
enum SwiftText {
    static func codeOnly(_ text: String) -> String {
        var scanner = Scanner(input: Array(text.unicodeScalars))
        return scanner.run()
    }

    private struct Scanner {
        let input: [Unicode.Scalar]
        var position = 0
        var output = String.UnicodeScalarView()

        init(input: [Unicode.Scalar]) { self.input = input }

        mutating func run() -> String {
            while position < input.count {
                if starts(with: "//") {
                    while position < input.count, input[position] != "\n" { blank() }
                } else if starts(with: "/*") {
                    blockComment()
                } else if let hashes = stringStart() {
                    string(hashes: hashes)
                } else {
                    output.append(input[position])
                    position += 1
                }
            }
            return String(output)
        }

        private mutating func blockComment() {
            var depth = 0
            repeat {
                if starts(with: "/*") {
                    depth += 1
                    blank(2)
                } else if starts(with: "*/") {
                    depth -= 1
                    blank(2)
                } else {
                    blank()
                }
            } while depth > 0 && position < input.count
        }

        /// The number of `#` before an opening quote at the position, or nil when no string begins here.
        private func stringStart() -> Int? {
            var end = position
            while end < input.count, input[end] == "#" { end += 1 }
            return end < input.count && input[end] == "\"" ? end - position : nil
        }

        private mutating func string(hashes: Int) {
            blank(hashes)
            let multiline = starts(with: "\"\"\"")
            let close = (multiline ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
            let escape = "\\" + String(repeating: "#", count: hashes)
            var depth = 0
            blank(multiline ? 3 : 1)
            while position < input.count {
                if starts(with: escape + "(") {
                    depth += 1
                    blank(escape.unicodeScalars.count + 1)
                } else if depth == 0, starts(with: escape) {
                    blank(escape.unicodeScalars.count + 1)
                } else if depth == 0, starts(with: close) {
                    blank(close.unicodeScalars.count)
                    return
                } else if depth == 0, !multiline, input[position] == "\n" {
                    return
                } else if depth > 0, let inner = stringStart() {
                    string(hashes: inner)
                } else {
                    if depth > 0, input[position] == "(" { depth += 1 }
                    if depth > 0, input[position] == ")" { depth -= 1 }
                    blank()
                }
            }
        }

        private func starts(with prefix: String) -> Bool {
            let scalars = prefix.unicodeScalars
            guard position + scalars.count <= input.count else { return false }
            return zip(input[position...], scalars).allSatisfy { $0 == $1 }
        }

        private mutating func blank(_ count: Int = 1) {
            for _ in 0..<count where position < input.count {
                output.append(input[position] == "\n" ? "\n" : " ")
                position += 1
            }
        }
    }
}
