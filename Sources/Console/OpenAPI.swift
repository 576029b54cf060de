import Formats

/// The OpenAPI 3.1 document, generated from the route table.
enum OpenAPI {
    static func document(version: String) -> [UInt8] {
        JSONWriter.object { json in
            json.field("openapi", "3.1.0")
            json.key("info")
            json.beginObject()
            json.field("title", "Tillstream")
            json.field("version", version)
            json.field(
                "description",
                "Figures of a retailer's sales, exact and live. Money is decimal text. Any GET takes after=POSITION and waits until the tables contain it."
            )
            json.endObject()
            json.key("paths")
            json.beginObject()
            for route in Route.all {
                json.key(route.path)
                json.beginObject()
                json.key("get")
                operation(route, &json)
                json.endObject()
            }
            for action in Action.all { write(action, &json) }
            ingest(&json)
            json.endObject()
        }
    }

    private static let common = [
        Route.Parameter("after", "A position; the answer contains everything up to it."),
        Route.Parameter("wait_ms", "Longest wait for after, 1 to 30000; default 5000."),
    ]

    private static func operation(_ route: Route, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("summary", route.summary)
        json.key("parameters")
        json.beginArray()
        for part in route.path.split(separator: "/") where part.hasPrefix("{") {
            let meaning =
                switch part {
                case "{id}", "{store}": "SOURCE:KEY, or the bare key when only one source has it."
                case "{start}": "When it starts, ISO 8601."
                case "{entry}": "Its id in the list."
                default: "Name of the \(part.dropFirst().dropLast())."
                }
            parameter(String(part.dropFirst().dropLast()), meaning, place: "path", &json)
        }
        for one in route.parameters + common { parameter(one.name, one.meaning, place: "query", &json) }
        json.endArray()
        json.key("responses")
        json.beginObject()
        json.key("200")
        content("The answer.", &json) { SchemaNotation.write(route.schema, to: &$0) }
        for (status, meaning) in [
            ("400", "A parameter is wrong."), ("404", "There is no such thing."),
            ("409", "The bare key or the name is ambiguous."),
            ("504", "The tables did not reach the position in time."),
        ] {
            json.key(status)
            content(meaning, &json) { SchemaNotation.write("{error:{code:s,message:s,candidates~:[s]}}", to: &$0) }
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

    private static func content(_ meaning: String, _ json: inout JSONWriter, _ schema: (inout JSONWriter) -> Void) {
        json.beginObject()
        json.field("description", meaning)
        json.key("content")
        json.beginObject()
        json.key("application/json")
        json.beginObject()
        json.key("schema")
        schema(&json)
        json.endObject()
        json.endObject()
        json.endObject()
    }

    private static func write(_ action: Action, _ json: inout JSONWriter) {
        json.key(action.path)
        json.beginObject()
        json.key("post")
        json.beginObject()
        json.field("summary", action.summary)
        json.key("parameters")
        json.beginArray()
        for one in common { parameter(one.name, one.meaning, place: "query", &json) }
        json.endArray()
        json.key("requestBody")
        json.beginObject()
        json.field("required", true)
        json.key("content")
        json.beginObject()
        json.key("application/json")
        json.beginObject()
        json.key("schema")
        SchemaNotation.write(action.body, to: &json)
        json.endObject()
        json.endObject()
        json.endObject()
        json.key("responses")
        json.beginObject()
        json.key("202")
        content("Durable.", &json) { SchemaNotation.write(action.schema, to: &$0) }
        for (status, meaning) in [
            ("400", "The body is wrong."), ("404", "There is no such entry."),
            ("409", "No contract judges the feed now."), ("413", "The entries are too large together."),
            ("415", "The body is not application/json."), ("429", "The disk does not keep up."),
            ("504", "The tables did not reach the position in time."),
        ] {
            json.key(status)
            content(meaning, &json) { SchemaNotation.write("{error:{code:s,message:s}}", to: &$0) }
        }
        json.endObject()
        json.endObject()
        json.endObject()
    }

    private static func ingest(_ json: inout JSONWriter) {
        let answer = "{accepted:i,rejected:[{index:i,reasons:[{rule:s,field:s,value:s,message:s}]}],position:s}"
        json.key("/v1/feeds/{feed}")
        json.beginObject()
        json.key("post")
        json.beginObject()
        json.field(
            "summary",
            "Send events: one object, an array, NDJSON or CSV with a header row. Answered after they are durable."
        )
        json.key("parameters")
        json.beginArray()
        parameter("feed", "Name of a feed, for example invoices.", place: "path", &json)
        json.endArray()
        json.key("responses")
        json.beginObject()
        for (status, meaning) in [
            ("202", "Durable; some or all are good."), ("422", "Durable and in quarantine; all are bad."),
        ] {
            json.key(status)
            content(meaning, &json) { SchemaNotation.write(answer, to: &$0) }
        }
        for (status, meaning) in [
            ("404", "No such feed."), ("413", "The body is too large."), ("415", "The content type is not known."),
            ("429", "The disk does not keep up; send again after Retry-After."),
        ] {
            json.key(status)
            content(meaning, &json) { SchemaNotation.write("{error:{code:s,message:s}}", to: &$0) }
        }
        json.endObject()
        json.endObject()
        json.endObject()
    }
}
