import CYAML

/// One step of the parser, copied out of C memory.
enum YAMLStep {
    case scalar(text: String, plain: Bool)
    case mappingStart, mappingEnd, sequenceStart, sequenceEnd
    case documentStart, documentEnd, alias, streamEnd
    case other
}

/// The only access to libyaml: owns one parser and the bytes it reads. Thread: the owner's.
@safe final class YAMLParserHandle {
    // Owned: both are allocated in init and freed in deinit, and never leave this object.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutablePointer<UInt8>
    private let isReady: Bool

    /// Whether the step just returned carried an anchor or a tag.
    private(set) var isDecorated = false
    /// Where the step just returned starts, 1-based.
    private(set) var line = 1
    private(set) var column = 1

    init(_ bytes: [UInt8]) {
        unsafe parser = .allocate(capacity: 1)
        unsafe input = .allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { unsafe input[index] = byte }
        isReady = unsafe yaml_parser_initialize(parser) == 1
        if isReady {
            unsafe yaml_parser_set_input_string(parser, input, bytes.count)
            unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        }
    }

    deinit {
        if isReady { unsafe yaml_parser_delete(parser) }
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next step.
    ///
    /// - Throws: ``YAMLError`` with libyaml's own message; the handle must not be used afterwards.
    func next() throws(YAMLError) -> YAMLStep {
        guard isReady else { throw YAMLError(line: 1, column: 1, sentence: "Out of memory reading YAML; free some") }
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        // Lifetime: the event's strings belong to libyaml until yaml_event_delete; they are copied before.
        defer { unsafe yaml_event_delete(&event) }
        unsafe (line, column) = (event.start_mark.line + 1, event.start_mark.column + 1)
        isDecorated = false
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            unsafe isDecorated = scalar.anchor != nil || scalar.tag != nil
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return unsafe .scalar(
                text: String(decoding: bytes, as: UTF8.self),
                plain: scalar.style == YAML_PLAIN_SCALAR_STYLE
            )
        case YAML_MAPPING_START_EVENT:
            unsafe isDecorated = event.data.mapping_start.anchor != nil || event.data.mapping_start.tag != nil
            return .mappingStart
        case YAML_SEQUENCE_START_EVENT:
            unsafe isDecorated = event.data.sequence_start.anchor != nil || event.data.sequence_start.tag != nil
            return .sequenceStart
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias
        case YAML_STREAM_END_EVENT: return .streamEnd
        default: return .other
        }
    }

    private func failure() -> YAMLError {
        // Lifetime: `problem` points to a constant text of libyaml or is null.
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "it cannot be read"
        let isEncoding = unsafe parser.pointee.error == YAML_READER_ERROR
        let mark = unsafe isEncoding ? parser.pointee.mark : parser.pointee.problem_mark
        let remedy = isEncoding ? "save the file as UTF-8 without control characters" : "correct the YAML at this place"
        return YAMLError(line: mark.line + 1, column: mark.column + 1, sentence: "Not YAML: \(problem); \(remedy)")
    }
}
