import Console
import Primitives
import RetailModel
import Settings
import Tables
import Telemetry

/// Reference pages that follow from code: `till debug reference PAGE`. A test compares them with docs/reference.
enum ReferencePages {
    static let names = ["api", "cli", "metrics", "settings", "tables"]

    static func page(_ name: String) throws -> String {
        switch name {
        case "api": return APIReference.markdown()
        case "cli": return cli
        case "metrics": return metrics
        case "settings": return settings
        case "tables": return tables
        default:
            throw UsageError(
                "cli.page_unknown",
                "There is no page \(name.quotedForMessage); known are \(names.joined(separator: ", "))."
            )
        }
    }

    private static func head(_ title: String, _ source: String, _ page: String) -> String {
        "# \(title)\n\nGenerated from `\(source)` by `till debug reference \(page)`.\n\n"
    }

    private static var cli: String {
        head("Command line", "Sources/till/TillMain.swift", "cli") + "```\n" + TillMain.help + "\n```\n"
    }

    private static var metrics: String {
        var text =
            head("Metrics", "Sources/Telemetry", "metrics")
            + "`GET /metrics`, Prometheus text.\n\n| name | kind | meaning |\n| --- | --- | --- |\n"
        for name in MetricName.allCases {
            text += "| `till_\(name.name)` | \(name.isCounter ? "counter" : "gauge") | \(name.meaning) |\n"
        }
        text += "\nBy label; a series is there once something was counted in it.\n\n"
        text += "| name | kind | labels | meaning |\n| --- | --- | --- | --- |\n"
        for family in MetricFamily.allCases {
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            text += "| `till_\(family.name)` | \(family.kind.rawValue) | \(labels) | \(family.meaning) |\n"
        }
        return text
    }

    private static var settings: String {
        var text =
            head("Settings", "Sources/Settings/SettingName.swift", "settings")
            + "Default, then the file of `--config` (YAML), then the environment, then flags (`--NAME VALUE`); the last that says\nsomething wins. `till settings --effective` shows each value and where it comes from.\n\n| setting | environment | default | allowed | meaning |\n| --- | --- | --- | --- | --- |\n"
        for name in SettingName.allCases {
            let allowed =
                switch name.kind {
                case .text: "text"
                case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
                case .choice(let choices): choices.joined(separator: ", ")
                case .contract: "on, off, path of a contract file"
                }
            text +=
                "| `\(name.rawValue)` | `\(name.environmentName)` | `\(name.defaultText)` | \(allowed) | \(name.meaning) |\n"
        }
        return text + """

            Only in the file:

            ```yaml
            contracts: [feeds/corner-shop.yaml]     # further feeds; a file replaces a built-in feed of its name
            identities:                             # none: loopback only, everyone there may do everything
              - name: shop-1
                secret_hash: "scrypt:…"             # till identity hash < FILE; or secret_file: FILE
                scopes: ["ingest:invoices"]         # and read:sales, read:customers, read:metrics, operate
                senders: [shop-1]                   # what X-Till-Sender may say; left out: anything
            ```

            """
    }

    private static var tables: String {
        var text =
            head("Tables", "Sources/RetailModel/RetailTables.swift", "tables")
            + "`DIR/tables.sqlite`. Money is units of 1e-5; a wide column is two integers, value = hi × 2^32 + lo. State rows carry one row\nper natural key; sums are folds of state rows. Open the file read-only beside a running till.\n"
        for table in RetailTables.all {
            text +=
                "\n## \(table.name)\n\n\(table.meaning) \(table.kind == .state ? "State" : "Sum"), key: \(table.key.map { "`\($0)`" }.joined(separator: ", ")).\n\n| column | type | meaning |\n| --- | --- | --- |\n"
            for column in table.columns {
                text +=
                    "| `\(column.name)` | \(column.kind)\(column.isNullable ? ", null" : "") | \(column.meaning) |\n"
            }
        }
        text += "\n## Views\n\n" + RetailViews.all.map { "`\($0.name)`" }.joined(separator: ", ") + "\n"
        return text
    }
}
