import Formats

/// The OpenAPI 3.1 document, generated from the tables of routes, actions and operations.
enum OpenAPI {
    /// - Parameter references: Paths of reference systems that are on.
    static func document(version: String, references: Set<String>) -> [UInt8] {
        JSONWriter.object { json in
            json.field("openapi", "3.1.0")
            json.key("info")
            json.beginObject()
            json.field("title", "Tillstream")
            json.field("version", version)
            json.field(
                "description",
                "Figures of a retailer's sales, exact and live. Money is decimal text. Any GET of a figure takes after=POSITION and waits until the tables contain it."
            )
            json.endObject()
            json.key("paths")
            json.beginObject()
            for one in Route.all.map(operation) + Action.all.map(operation) + Operation.service
                + Operation.reference.filter({ references.contains($0.path) })
            {
                json.key(one.path)
                json.beginObject()
                json.key(one.method)
                write(one, &json)
                json.endObject()
            }
            json.endObject()
        }
    }

    private static let common = [
        (name: "after", meaning: "A position; the answer contains everything up to it.", place: "query"),
        (name: "wait_ms", meaning: "Longest wait for after, 1 to 30000; default 5000.", place: "query"),
    ]

    private static func operation(_ route: Route) -> Operation {
        let error = "{error:{code:s,message:s,candidates~:[s]}}"
        let parts = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            let meaning =
                switch part {
                case "{id}", "{store}": "SOURCE:KEY, or the bare key when only one source has it."
                case "{start}": "When it starts, ISO 8601."
                case "{entry}": "Its id in the list."
                default: "Name of the \(part.dropFirst().dropLast())."
                }
            return (name: String(part.dropFirst().dropLast()), meaning: meaning, place: "path")
        }
        return Operation(
            path: route.path,
            summary: route.summary,
            parameters: parts + route.parameters.map { ($0.name, $0.meaning, "query") } + common,
            answers: [
                Operation.answer("200", "The answer.", route.schema),
                Operation.answer("400", "A parameter is wrong.", error),
                Operation.answer("404", "There is no such thing.", error),
                Operation.answer("409", "The bare key or the name is ambiguous.", error),
                Operation.answer("504", "The tables did not reach the position in time.", error),
            ]
        )
    }

    private static func operation(_ action: Action) -> Operation {
        Operation(
            path: action.path,
            method: "post",
            summary: action.summary,
            parameters: common,
            body: action.body,
            answers: [
                Operation.answer("202", "Durable.", action.schema), Operation.answer("400", "The body is wrong."),
                Operation.answer("404", "There is no such entry."),
                Operation.answer("409", "No contract refines the feed now."),
                Operation.answer("413", "The entries are too large together."),
                Operation.answer("415", "The body is not application/json."),
                Operation.answer("429", "The disk does not keep up."),
                Operation.answer("504", "The tables did not reach the position in time."),
            ]
        )
    }

    private static func write(_ operation: Operation, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("summary", operation.summary)
        json.key("parameters")
        json.beginArray()
        for one in operation.parameters { parameter(one.name, one.meaning, place: one.place, &json) }
        json.endArray()
        if let body = operation.body {
            json.key("requestBody")
            json.beginObject()
            json.field("required", true)
            content(body, "application/json", &json)
            json.endObject()
        }
        json.key("responses")
        json.beginObject()
        for answer in operation.answers {
            json.key(answer.status)
            json.beginObject()
            json.field("description", answer.meaning)
            content(answer.schema ?? "s", answer.mediaType, &json)
            json.endObject()
        }
        json.endObject()
        json.endObject()
    }

    private static func parameter(_ name: String, _ meaning: String, place: String, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("name", name)
        json.field("in", place)
        json.field("description", meaning)
        json.field("required", place == "path")
        json.key("schema")
        json.beginObject()
        json.field("type", "string")
        json.endObject()
        json.endObject()
    }

    private static func content(_ schema: String, _ mediaType: String, _ json: inout JSONWriter) {
        json.key("content")
        json.beginObject()
        json.key(mediaType)
        json.beginObject()
        json.key("schema")
        SchemaNotation.write(schema, to: &json)
        json.endObject()
        json.endObject()
    }
}
