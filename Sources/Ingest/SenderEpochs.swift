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

    /// Which epoch a request is of. Nothing is remembered of it until ``note(_:_:)``: it may still be refused.
    ///
    /// - Parameters:
    ///   - envelope: With the sender's number, and with the epoch that the sender names, if it does.
    ///   - content: Of the request's records.
    /// - Returns: The epoch's name; empty for the first of a sender that names none. A new one is named after the time
    ///   of receipt.
    func epoch(of envelope: RecordEnvelope, _ content: Digest) -> ByteString {
        guard envelope.senderEpoch.isEmpty, let number = envelope.senderSequence else { return envelope.senderEpoch }
        return state.withLock { state in
            guard let epochs = state.epochs[Sender(feed: envelope.feed, name: envelope.sender)],
                let current = epochs.first
            else { return "" }
            guard let known = current.content(of: number), known != content.a else {
                // A repeat from before the current epoch is of the old one.
                let isOld = epochs.count > 1 && epochs[1].content(of: number) == content.a
                return isOld && current.content(of: number) == nil ? epochs[1].name : current.name
            }
            if epochs.count > 1, epochs[1].content(of: number) == content.a { return epochs[1].name }
            return ByteString(envelope.receivedAt.description)
        }
    }

    /// Remembers a request, as it is in the log or goes into it.
    func note(_ envelope: RecordEnvelope, _ content: Digest) {
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
