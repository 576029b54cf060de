import Ports
import Primitives
import RecordBatch
import Synchronization

/// What came under which Idempotency-Key lately: a key that comes again with other content is a mistake of the sender,
/// and nothing of it may be stored. Bounded; the oldest key is forgotten first. Thread: any.
final class SeenKeys: Sendable {
    enum Verdict: Sendable, Equatable { case fresh, repeated, reused }

    private struct State: Sendable {
        var contents: [Identifier: Digest] = [:]
        /// Keys in order of arrival, as a ring once it is full.
        var order: [Identifier] = []
        var oldest = 0
    }

    /// Keys that are remembered: about 150 bytes each, so 10 MB.
    static let keysMax = 65_536
    /// Read from the end of each feed at a start: requests of the last seconds before it.
    static let recordsReadAgain: Int64 = 2_000
    static let bytesReadAgain = 16 << 20

    private let state = Mutex(State())

    /// Takes note of a key's content when the key is new.
    ///
    /// - Parameter key: The base of the record ids that the key gives.
    func claim(_ key: Identifier, _ content: Digest) -> Verdict {
        state.withLock { state in
            if let known = state.contents[key] { return known == content ? .repeated : .reused }
            state.contents[key] = content
            if state.order.count < Self.keysMax {
                state.order.append(key)
            } else {
                state.contents[state.order[state.oldest]] = nil
                state.order[state.oldest] = key
                state.oldest = (state.oldest + 1) % Self.keysMax
            }
            return .fresh
        }
    }

    /// The log did not take what came under a new key: it may come again with other content.
    func forget(_ key: Identifier) { state.withLock { $0.contents[key] = nil } }

    /// Remembers the requests at the end of the log, here and in `epochs`. What cannot be read is left out: a mistake
    /// is missed then.
    func recall(_ log: any EventLog, _ epochs: SenderEpochs) {
        for partition in log.partitions() where partition.feed != nil {
            let start = max(0, log.durableEnd(of: partition) - Self.recordsReadAgain)
            guard let reader = try? log.reader(partition, from: start) else { continue }
            var left = Self.bytesReadAgain
            while left > 0, let batches = try? reader.next(bytesMax: 1 << 20), !batches.isEmpty {
                for batch in batches where batch.envelope.action == .receive {
                    left -= batch.range.count
                    guard let content = Self.content(of: batch) else { continue }
                    _ = claim(batch.envelope.recordIDBase, content)
                    epochs.note(batch.envelope, content)
                }
            }
        }
    }

    private static func content(of batch: LoggedBatch) -> Digest? {
        guard let view = try? RecordBatchView(batch.buffer, at: batch.range.lowerBound, end: batch.range.upperBound)
        else { return nil }
        var ranges: [Range<Int>] = []
        guard (try? view.forEach(in: batch.buffer) { ranges.append($0.value) }) != nil else { return nil }
        return content(batch.buffer, ranges, batch.envelope.format)
    }

    /// Of the records as they were sent, in their order, and of how they are read.
    static func content(_ bytes: [UInt8], _ ranges: [Range<Int>], _ format: PayloadFormat) -> Digest {
        let digest = DigestStream()
        func add(_ part: ArraySlice<UInt8>) {
            var length: [UInt8] = []
            length.appendBigEndian(Int64(part.count))
            digest.add(length[...])
            digest.add(part)
        }
        switch format {
        case .json: add([0])
        case .csv(let header, let separator):
            add([1, separator])
            add(header.bytes[...])
        case .unknown(let mediaType):
            add([2])
            add(mediaType.bytes[...])
        }
        for range in ranges { add(bytes[range]) }
        return digest.finish()
    }
}
