import Ports
import Primitives
import Synchronization

/// Which count of a sender's sequence a request is of: as it says in X-Till-Epoch, else found by comparing: a number
/// that came with other records begins a new epoch. Decided once, before the log: the epoch is in the envelope.
///
/// Of the current epoch and of the one before, the contents of the lowest 16 and the latest 64 numbers are kept: a
/// sender that counts again begins low. What was longer ago is taken for a number that was not seen yet. Thread: any.
final class SenderEpochs: Sendable {
    static let lowestKept = 16
    static let latestKept = 64
    /// Senders that are remembered: 2 × 80 numbers of 40 bytes each, so 26 MB; the first to come is the first to go.
    static let sendersMax = 4_096

    fileprivate struct Sender: Hashable { var feed: String, name: ByteString }

    /// Contents by number.
    fileprivate struct Epoch {
        var name: ByteString
        var lowest: [Int64: UInt64] = [:]
        var latest: [(number: Int64, content: UInt64)] = []
        var oldest = 0

        func content(of number: Int64) -> UInt64? {
            lowest[number] ?? latest.first { $0.number == number }?.content
        }

        mutating func note(_ number: Int64, _ content: UInt64) {
            if lowest.count < SenderEpochs.lowestKept {
                lowest[number] = content
            } else if let greatest = lowest.keys.max(), number < greatest {
                lowest[greatest] = nil
                lowest[number] = content
            }
            if latest.count < SenderEpochs.latestKept {
                latest.append((number, content))
            } else {
                latest[oldest] = (number, content)
                oldest = (oldest + 1) % SenderEpochs.latestKept
            }
        }
    }

    fileprivate struct State: Sendable {
        var epochs: [Sender: [Epoch]] = [:]
        var order: [Sender] = []
        var first = 0
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - named: What the sender says; empty when it says nothing.
    ///   - content: Of the request's records.
    ///   - now: Names an epoch that begins with this request.
    /// - Returns: The epoch's name; empty for the first of a sender that names none.
    func epoch(feed: String, sender: ByteString, number: Int64, named: ByteString, content: Digest, now: Timestamp)
        -> ByteString
    {
        let mark = content.a
        return state.withLock { state in
            let key = Sender(feed: feed, name: sender)
            var epochs = state.epochs[key] ?? []
            defer { state.epochs[key] = epochs }
            if epochs.isEmpty {
                state.remember(key)
                epochs = [Epoch(name: named)]
            }
            if !named.isEmpty {
                if let index = epochs.firstIndex(where: { $0.name == named }) {
                    epochs[index].note(number, mark)
                } else {
                    epochs.begin(named, number, mark)
                }
                return named
            }
            let known = epochs[0].content(of: number)
            if known == mark { return epochs[0].name }
            // A repeat from before the new epoch is of the old one.
            if epochs.count > 1, epochs[1].content(of: number) == mark { return epochs[1].name }
            if known == nil {
                epochs[0].note(number, mark)
                return epochs[0].name
            }
            epochs.begin(ByteString(now.description), number, mark)
            return epochs[0].name
        }
    }

    /// What the log says of a request.
    func recall(_ envelope: RecordEnvelope, _ content: Digest) {
        guard let number = envelope.senderSequence else { return }
        state.withLock { state in
            let key = Sender(feed: envelope.feed, name: envelope.sender)
            var epochs = state.epochs[key] ?? []
            if epochs.isEmpty { state.remember(key) }
            if let index = epochs.firstIndex(where: { $0.name == envelope.senderEpoch }) {
                epochs[index].note(number, content.a)
            } else {
                epochs.begin(envelope.senderEpoch, number, content.a)
            }
            state.epochs[key] = epochs
        }
    }
}

extension [SenderEpochs.Epoch] {
    /// The new one is first; of the others only the latest is kept.
    fileprivate mutating func begin(_ name: ByteString, _ number: Int64, _ content: UInt64) {
        var epoch = SenderEpochs.Epoch(name: name)
        epoch.note(number, content)
        self = [epoch] + prefix(1)
    }
}

extension SenderEpochs.State {
    fileprivate mutating func remember(_ sender: SenderEpochs.Sender) {
        if order.count < SenderEpochs.sendersMax { return order.append(sender) }
        epochs[order[first]] = nil
        order[first] = sender
        first = (first + 1) % SenderEpochs.sendersMax
    }
}
