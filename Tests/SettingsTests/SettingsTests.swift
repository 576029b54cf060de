import Primitives
import Testing

@testable import Settings

@Suite struct SettingsTests {
    static func read(
        _ file: String? = nil,
        _ environment: [String: String] = [:],
        flags: [(SettingName, String)] = []
    ) throws(TillSettings.Problems) -> TillSettings {
        try TillSettings(
            file: file.map { ("till.yaml", Array($0.utf8)) },
            environment: { environment[$0] },
            flags: flags
        )
    }

    static func problems(_ file: String?, _ environment: [String: String] = [:], flags: [(SettingName, String)] = [])
        -> [String]
    {
        do throws(TillSettings.Problems) {
            _ = try read(file, environment, flags: flags)
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    static let zeros = String(repeating: "0", count: 63)

    @Test func `without anything every setting has its default`() throws {
        let settings = try Self.read()
        for name in SettingName.allCases { #expect(settings[name] == .init(text: name.defaultText, origin: "default")) }
        #expect(settings.contracts == [] && settings.identities == [])
    }

    @Test(arguments: SettingName.allCases)
    func `a default is a value that its kind allows`(name: SettingName) {
        #expect(Self.problems(nil, [name.environmentName: name.defaultText]) == [])
        #expect(name.meaning.hasSuffix("."))
    }

    @Test func `flags win over the environment, it over the file, the file over the default`() throws {
        let file = "data: from-file\nlog_level: info\nlog:\n  segment_mebibytes: 8\n"
        var environment = ["TILL_DATA": "from-environment", "TILL_LOG_LEVEL": "debug"]
        let all = try Self.read(file, environment, flags: [(.data, "from-flag"), (.data, "the last flag")])
        #expect(all[.data] == .init(text: "the last flag", origin: "--data"))
        #expect(all[.logLevel] == .init(text: "debug", origin: "TILL_LOG_LEVEL"))
        #expect(
            all[.logSegmentMebibytes] == .init(text: "8", origin: "till.yaml:4")
                && all.integer(.logSegmentMebibytes) == 8
        )
        #expect(all[.tablesReaders].origin == "default")
        environment["TILL_DATA"] = nil
        #expect(try Self.read(file, environment)[.data] == .init(text: "from-file", origin: "till.yaml:1"))
    }

    @Test func `names of the environment follow from the paths`() {
        #expect(SettingName.logSegmentMebibytes.environmentName == "TILL_LOG_SEGMENT_MEBIBYTES")
        #expect(Set(SettingName.allCases.map(\.environmentName)).count == SettingName.allCases.count)
    }

    @Test func `every mistake is named at once, with its place`() {
        let file = """
            listen: ""
            log_level: loud
            log:
              segment_mebibytes: 0
              colour: red
            contracts: one.yaml
            compatibility: { pos: "" }
            identities:
              - name: a:b
                secret_sha256: abc
                scopes: [ingest:*, "ingest:", everything]
                age: 7
            """
        let known = (SettingName.allCases.map(\.rawValue) + ["contracts", "identities"]).joined(separator: ", ")
        let scopes =
            "known are ingest:FEED, ingest:*, read:sales, read:customers, read:customer:SOURCE:KEY, read:metrics, operate"
        let found = Self.problems(file, ["TILL_TABLES_READERS": "17"], flags: [(.httpConnectionsMax, "many")])
        #expect(
            found == [
                "till.yaml:1:9: listen is empty; give a value or leave it out",
                "till.yaml:2:12: log_level is \"loud\"; give one of debug, info, notice, warning, error",
                "till.yaml:4:22: log.segment_mebibytes is \"0\"; give a whole number from 1 to 1024",
                "till.yaml:5:3: \"log.colour\" is not a setting; known are \(known)",
                "till.yaml:6:12: contracts is a list of file paths",
                "till.yaml:7:23: compatibility.pos is empty; give on, off or the path of a contract file",
                "till.yaml:10:20: secret_sha256 must be 64 hex digits: printf %s SECRET | sha256sum",
                "till.yaml:11:24: \"ingest:\" is not a scope; \(scopes)",
                "till.yaml:11:35: \"everything\" is not a scope; \(scopes)",
                "till.yaml:12:5: \"age\" is not known here; known are name, secret_hash, secret_file, secret_sha256, scopes, senders",
                "till.yaml:9:5: an identity needs a name without a colon",
                "TILL_TABLES_READERS: tables.readers is \"17\"; give a whole number from 1 to 16",
                "--http.connections_max: http.connections_max is \"many\"; give a whole number from 1 to 100000",
            ]
        )
    }

    @Test(arguments: [
        ("- a", "till.yaml:1:1: the file must be a mapping of settings"),
        ("identities: x", "till.yaml:1:13: identities is a list"),
        (
            "identities:\n  - { name: a, secret_sha256: \(zeros)1, scopes: [operate] }\n  - { name: a, secret_sha256: \(zeros)2, scopes: [operate] }",
            "till.yaml:3:5: two identities are named \"a\""
        ),
    ])
    func `a wrong shape is named`(file: String, problem: String) {
        #expect(Self.problems(file) == [problem])
    }

    @Test func `what is no YAML is named with line and column`() {
        let found = Self.problems("data: [1\nlisten: x: y")
        #expect(found.count == 1 && found.allSatisfy { $0.hasPrefix("till.yaml:2:") })
        #expect(Self.problems("data: a\ndata: b").count == 1, "a key twice")
        #expect(Self.problems("") == ["till.yaml:1:1: The file is empty; write at least one key"])
    }

    @Test func `contracts and identities are read, the secret only as its hash`() throws {
        let hash = Digest.sha256(of: Array("secret".utf8))
        let settings = try Self.read(
            "contracts: [a.yaml, b.yaml]\nidentities:\n  - { name: till, secret_sha256: \(hash), "
                + "scopes: [ingest:pos, read:sales, read:customers, operate] }"
        )
        #expect(settings.contracts == ["a.yaml", "b.yaml"])
        #expect(settings.identities.map(\.name) == ["till"])
        #expect(settings.identities.first?.secret == .fast(hash))
        #expect(settings.identities.first?.scopes == Set([.ingest("pos"), .readSales, .readCustomers, .operate]))
        for text in ["ingest:pos", "ingest:*", "read:sales", "read:customers", "operate"] {
            #expect(Scope(text)?.description == text)
        }
        for text in ["", "ingest", "ingest:", "read:", "Operate"] { #expect(Scope(text) == nil) }
    }
}
