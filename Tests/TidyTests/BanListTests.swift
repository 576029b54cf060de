import Testing

/// The ban list over the whole tree, and every rule over its own snippets.
@Suite struct BanListTests {
    @Test(arguments: BanList.all)
    func `the tree keeps the rule`(ban: Ban) throws {
        report(try ban.offences(in: Repository.files))
    }

    @Test(arguments: BanList.all)
    func `the rule finds its bad snippets`(ban: Ban) throws {
        #expect(!ban.bad.isEmpty)
        for snippet in ban.bad {
            #expect(try !ban.offences(in: [sample(snippet, for: ban)]).isEmpty, "not found: \(snippet)")
        }
    }

    @Test(arguments: BanList.all)
    func `the rule leaves its good snippets alone`(ban: Ban) throws {
        for snippet in ban.good {
            #expect(try ban.offences(in: [sample(snippet, for: ban)]).isEmpty, "found: \(snippet)")
        }
    }

    @Test(arguments: BanList.all.filter { !$0.except.isEmpty })
    func `an exception of the rule is granted`(ban: Ban) throws {
        let path = try #require(ban.except.first).replacing("**", with: "X.swift").replacing("*", with: "X")
        #expect(try ban.offences(in: [SourceFile(path: path, text: ban.bad[0])]).isEmpty)
    }

    @Test func `comments and literals are no code`() {
        let text = "let a = \"// b\" /* c /* d */ e */ + f // g\nlet h = #\"i\"j\"# + \"k\\(l(\"m\"))n\" + o"
        let code = SwiftText.codeOnly(text)
        #expect(code.filter { !" \n".contains($0) } == "leta=+fleth=++o")
        #expect(code.count == text.count, "columns stay")
        #expect(SwiftText.codeOnly("\"\"\"\na \"b\" c\n\"\"\" + d").hasSuffix("\n    + d"))
    }

    @Test func `a star stays within its folder and two cross folders`() {
        #expect(SourceFile.path("Sources/A/B.swift", matches: "Sources/A/*.swift"))
        #expect(!SourceFile.path("Sources/A/C/B.swift", matches: "Sources/A/*.swift"))
        #expect(SourceFile.path("Sources/A/C/B.swift", matches: "Sources/**.swift"))
    }

    @Test func `an entry of the unsafe list has a reason and is listed once`() {
        #expect(UnsafeAllowlist.entries.allSatisfy { $0.reason.count > 5 })
        #expect(Set(UnsafeAllowlist.globs).count == UnsafeAllowlist.globs.count)
    }

    /// The snippet as a file that the rule looks at.
    private func sample(_ snippet: String, for ban: Ban) -> SourceFile {
        let path = ban.scope[0].replacing("**.swift", with: "Sample/Sample.swift").replacing("**", with: "Sample.swift")
        return SourceFile(path: path, text: snippet)
    }
}
