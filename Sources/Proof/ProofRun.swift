package import Ports
package import Primitives
package import Refine
import RetailModel
import Tables

/// Where the records of one partition come from, up to the position of the tables.
package struct ProofSource: Sendable {
    package var partition: TopicPartition
    /// Records below this offset are proved.
    package var end: Int64
    /// Made on the thread that reads.
    package var open: @Sendable () throws -> any LogReader

    package init(partition: TopicPartition, end: Int64, open: @escaping @Sendable () throws -> any LogReader) {
        self.partition = partition
        self.end = end
        self.open = open
    }
}

/// What a proof found.
package struct ProofOutcome: Sendable {
    package var positions: PositionVector
    package var events: Int64
    package var tables: Int
    package var comparison: Comparison
    package var totals: ControlTotals
    package var nanos: Int64
    /// Records of feeds that are durable and not in the tables yet: nothing is said of them.
    package var behind: Int64 = 0
}

/// A proof of the tables: they are read on the calling thread while others read the log, refine it and compute every
/// table a second time.
///
/// First both sides are reduced to the fingerprint of each table. Tables whose fingerprints differ are then compared
/// row by row, so that every difference has its key and its columns.
package struct ProofRun {
    private let reader: any TableReader
    private let book: ContractBook
    private let scratch: Scratch
    private let time: any TimeSource
    private let bufferBytes: Int
    private let comparesRows: Bool
    private let views: [(name: String, select: String)]
    private let sources: @Sendable (PositionVector) throws -> [ProofSource]

    /// - Parameters:
    ///   - comparesRows: Compares all rows one by one at once.
    ///   - views: The views that there must be, with their SELECT; none are looked at when it is empty.
    ///   - sources: The feeds' partitions up to the given positions.
    package init(
        reader: any TableReader,
        book: ContractBook,
        scratch: Scratch,
        time: any TimeSource,
        bufferBytes: Int = ProofLimits.bufferBytes,
        comparesRows: Bool = false,
        views: [(name: String, select: String)] = [],
        sources: @escaping @Sendable (PositionVector) throws -> [ProofSource]
    ) {
        self.reader = reader
        self.book = book
        self.scratch = scratch
        self.time = time
        self.bufferBytes = bufferBytes
        self.comparesRows = comparesRows
        self.views = views
        self.sources = sources
    }

    /// Both computations of one snapshot.
    private struct Pass {
        var positions: PositionVector
        var events: Int64
        var live: RowSet, proved: RowSet
        var totals: ControlTotals
    }

    /// - Parameter pause: Waits ``ProofLimits/snapshotPauseMillis``.
    /// - Throws: ``ProofError/releasing(references:)`` when no snapshot was to be had between two releases of parked
    ///   records.
    package func run(pause: () -> Void) throws -> ProofOutcome {
        let started = time.monotonicNanos()
        var keeping = comparesRows ? TableSet.all : .none
        var pass = try pass(keeping: keeping, pause)
        /// Tables whose fingerprints differed, and where.
        var suspects: [(tables: TableSet, positions: PositionVector)] = []
        while true {
            let differing = pass.live.differing(from: pass.proved)
            if differing.isEmpty { break }
            suspects.append((differing, pass.positions))
            keeping.formUnion(differing)
            pass = try self.pass(keeping: keeping, pause)
        }
        var comparison = try Comparison(live: pass.live, proved: pass.proved)
        for (tables, positions) in suspects { comparison.addVanished(tables, seenAt: positions, now: pass.positions) }
        for difference in pass.totals.differences { comparison.add { difference } }
        for difference in try viewDifferences() { comparison.add { difference } }
        return ProofOutcome(
            positions: pass.positions,
            events: pass.events,
            tables: TableShape.all.count,
            comparison: comparison,
            totals: pass.totals,
            nanos: time.monotonicNanos() - started
        )
    }

    /// A view is a figure too: one that was changed shows other numbers than those that are proved.
    private func viewDifferences() throws -> [Difference] {
        if views.isEmpty { return [] }
        let stored = try reader.snapshot { try $0.views() }
        var found: [Difference] = []
        for view in views where stored[view.name] != view.select {
            guard let select = stored[view.name] else {
                found.append(Difference(table: view.name, key: "view", kind: .missing))
                continue
            }
            let column = Difference.Column(
                name: "definition",
                live: Self.shown(select),
                proved: Self.shown(view.select)
            )
            found.append(Difference(table: view.name, key: "view", kind: .differs([column])))
        }
        for name in stored.keys.sorted() where !views.contains(where: { $0.name == name }) {
            found.append(Difference(table: name, key: "view", kind: .extra))
        }
        return found
    }

    private static func shown(_ select: String) -> String {
        let text = select.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text.count > 80 ? text.prefix(80) + "…" : text
    }

    private func pass(keeping: TableSet, _ pause: () -> Void) throws -> Pass {
        var attempt = 1
        while true {
            do {
                // The snapshot ends as soon as the tables are read: beside a running till it keeps old pages alive.
                var found = try reader.snapshot { try read($0, keeping) }
                let (rows, events) = try found.proving.result()
                found.pass.proved = rows
                found.pass.events = events
                return found.pass
            } catch ProofError.releasing(let references) {
                if attempt == ProofLimits.snapshotTries { throw ProofError.releasing(references: references) }
            }
            attempt += 1
            pause()
        }
    }

    /// - Throws: ``ProofError/releasing(references:)`` when released records are about to be counted. The positions
    ///   already contain the reference that released them, and the tables not yet what it released: no prefix of the
    ///   log has such tables, so there is nothing to compare them with.
    private func read(
        _ snapshot: any TableSnapshot,
        _ keeping: TableSet
    ) throws -> (pass: Pass, proving: Pending<(RowSet, Int64)>) {
        let waiting = try snapshot.query("SELECT count(*) FROM parked_release", [], limit: 1).first?.first?.integer ?? 0
        if waiting > 0 { throw ProofError.releasing(references: Int(waiting)) }
        let positions = try snapshot.positions()
        let work = Work(
            book: book,
            scratch: scratch,
            bufferBytes: bufferBytes * 3 / 4,
            keeping: keeping,
            sources: try sources(positions)
        )
        let proving = try Pending { try work.recompute() }
        let live = try LiveRows(snapshot, scratch, bufferBytes: bufferBytes / 4, keeping: keeping)
        let pass = Pass(
            positions: positions,
            events: 0,
            live: live.rows,
            proved: RowSet.empty,
            totals: try ControlTotals(snapshot, live.documents)
        )
        return (pass, proving)
    }
}

/// Reads, refines and computes.
private struct Work: Sendable {
    var book: ContractBook
    var scratch: Scratch
    var bufferBytes: Int
    var keeping: TableSet
    var sources: [ProofSource]

    func recompute() throws -> (RowSet, Int64) {
        var recomputation = Recomputation(scratch, bufferBytes: bufferBytes, keeping: keeping)
        var log = try RefinedLog(book, sources)
        while let records = try log.next() {
            // In a span: a copy of a record would count references to all its parts.
            let span = records.span
            for index in span.indices { try recomputation.add(span[index]) }
        }
        let events = recomputation.records
        return (try recomputation.finish(), events)
    }
}
