import Ports

/// One path that changes something, as data: the dispatcher, the OpenAPI document and the reference page come from it.
/// Operators only.
struct Action: Sendable {
    var path: String
    var summary: String
    /// The body and the answer (202) in the notation of ``SchemaNotation``.
    var body: String
    var schema: String
    var action: EnvelopeAction

    /// 10,000 ids of 20 digits and their commas.
    static let bodyBytesMax = 256 << 10
    static let all: [Action] = [
        Action(
            path: "/v1/quarantine/redrive",
            summary:
                "Refines open entries of quarantine again, under the contract of today: those named by ids, or those of a feed (and rule). Answered when the request is durable; entries that are resolved already are left out. ids names them: /v1/quarantine/count?ids=… with after=POSITION says how many stayed open. next: more are left, ask again with after.",
            body: selection,
            schema: answer,
            action: .redrive
        ),
        Action(
            path: "/v1/quarantine/discard",
            summary:
                "Gives open entries of quarantine up: they stay readable and in the control totals, and are resolved. Named as for redrive.",
            body: selection,
            schema: answer,
            action: .discard
        ),
    ]
    private static let selection = "{ids~:[i],feed~:s,rule~:?s,after~:i}"
    private static let answer = "{submitted:i,ids:[i],position:s,next:?i}"
}
