import RetailModel

/// The statuses of a document over all its versions, each with its time, once: what a version that lost
/// says happened too.
struct StatusHistory {
    private var all: Set<StatusEntry> = []
    /// Those that are not stored.
    private var added: Set<StatusEntry> = []

    mutating func load(_ entry: StatusEntry) { all.insert(entry) }

    mutating func add(_ entries: [StatusEntry]) {
        for entry in entries where all.insert(entry).inserted { added.insert(entry) }
    }

    var isEmpty: Bool { all.isEmpty }

    /// In the order in which they get their ids.
    var new: [StatusEntry] { added.sorted { ($0.at, $0.status.rawValue) < ($1.at, $1.status.rawValue) } }

    /// Something repeats or goes back. Skips are allowed; only a cancellation follows the end.
    var isOutOfOrder: Bool {
        if all.count < 2 { return false }
        let steps = all.sorted { ($0.at, $0.status.progress) < ($1.at, $1.status.progress) }.map(\.status.progress)
        return zip(steps, steps.dropFirst()).contains { $0 >= $1 }
    }
}

extension DocumentState {
    /// Takes the statuses that a version brings, whether it is current or not.
    func noteStatuses(_ entries: [StatusEntry]) {
        history.add(entries)
        var flags = DocumentFlags(rawValue: row.flags)
        if history.isOutOfOrder { flags.insert(.statusOrder) } else { flags.remove(.statusOrder) }
        row.flags = flags.rawValue
        if !history.isEmpty { row.traits.insert(.history) }
    }
}
