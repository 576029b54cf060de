/// The reference page of the HTTP API, from the route table.
package enum APIReference {
    package static func markdown() -> String {
        var text =
            "# HTTP API\n\nGenerated from the tables of `Sources/Console` by `till debug reference api`. The machine-readable form is\n`GET /v1/openapi.json`. Every path of a figure and of quarantine takes `after=POSITION` (waits until the tables contain it) and `wait_ms`.\nShapes: `s` text, `i` integer, `n` number, `m` money as decimal text, `t` time, `?` may be null, `~` may be absent.\n"
        for route in Route.all {
            text += "\n## GET \(route.path)\n\n\(route.summary) Scope: \(scope(route.access)).\n"
            if !route.parameters.isEmpty {
                text += "\n| parameter | meaning |\n| --- | --- |\n"
                for parameter in route.parameters { text += "| `\(parameter.name)` | \(parameter.meaning) |\n" }
            }
            text += "\n`\(route.schema)`\n"
        }
        for action in Action.all {
            text +=
                "\n## POST \(action.path)\n\n\(action.summary) Scope: `operate`.\n\nBody, `application/json`: `\(action.body)`\n\nAnswer (202): `\(action.schema)`\n"
        }
        for one in Operation.service + Operation.reference {
            text +=
                "\n## \(one.method.uppercased()) \(one.path)\n\n\(one.summary)\n\n| status | meaning | body |\n| --- | --- | --- |\n"
            for answer in one.answers {
                text +=
                    "| \(answer.status) | \(answer.meaning) | \(answer.schema.map { "`\($0)`" } ?? answer.mediaType) |\n"
            }
        }
        return text
    }

    private static func scope(_ access: Access) -> String {
        switch access {
        case .open: "none"
        case .sales: "`read:sales`"
        case .customers: "`read:customers`"
        case .metrics: "`read:metrics` or `operate`"
        case .operate: "`operate`"
        }
    }
}
