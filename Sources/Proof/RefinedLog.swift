import Ports
import Primitives
import Refine
import RetailModel

/// The records of several partitions in one order, refined on threads of their own while those before are proved.
///
/// Batches are taken in the order of their receipt, which is about the order in which they were processed; within a
/// partition the order is exact. Single owner.
struct RefinedLog {
    /// A batch that is to be refined: its records from `from` on and below `end`.
    private struct Piece: Sendable {
        var batch: LoggedBatch
        var topic: String
        var from: Int64, end: Int64
    }

    private let book: ContractBook
    private var readings: [Reading]
    /// The oldest first; at most ``ProofLimits/refiners``.
    private var ahead: [Pending<[RefinedRecord]>] = []

    init(_ book: ContractBook, _ sources: [ProofSource]) throws {
        self.book = book
        readings = try sources.map { Reading(source: $0, reader: try $0.open()) }
    }

    /// The next records; nil at the end.
    mutating func next() throws -> [RefinedRecord]? {
        while ahead.count < ProofLimits.refiners {
            let pieces = try nextPieces()
            if pieces.isEmpty { break }
            ahead.append(try Pending { [book] in try Self.refine(pieces, book) })
        }
        return ahead.isEmpty ? nil : try ahead.removeFirst().result()
    }

    private static func refine(_ pieces: [Piece], _ book: ContractBook) throws -> [RefinedRecord] {
        var refiner = Refiner(book: book)
        var records: [RefinedRecord] = []
        for piece in pieces {
            try refiner.refine(piece.batch, topic: piece.topic, from: piece.from, into: &records)
            while let last = records.last, last.offset >= piece.end { records.removeLast() }
        }
        return records
    }

    /// About ``ProofLimits/refineBytes`` of the log.
    private mutating func nextPieces() throws -> [Piece] {
        var pieces: [Piece] = []
        var bytes = 0
        while bytes < ProofLimits.refineBytes {
            for index in readings.indices { try readings[index].fill() }
            let next = readings.indices.filter { !readings[$0].batches.isEmpty }.min {
                readings[$0].receivedAt < readings[$1].receivedAt
            }
            guard let next, let batch = readings[next].batches.popFirst() else { break }
            let source = readings[next].source
            pieces.append(
                Piece(
                    batch: batch,
                    topic: source.partition.topic,
                    from: readings[next].position,
                    end: source.end
                )
            )
            bytes += batch.range.count
            readings[next].position = batch.baseOffset + Int64(batch.recordCount)
            if readings[next].position >= source.end { readings[next].batches = [] }
        }
        return pieces
    }
}

/// A partition while it is read: the next batches and where they come from.
private struct Reading {
    var source: ProofSource
    var reader: any LogReader
    var batches: ArraySlice<LoggedBatch> = []
    var position: Int64 = 0

    /// Of the next batch, microseconds.
    var receivedAt: Int64 { batches.first?.envelope.receivedAt.micros ?? 0 }

    mutating func fill() throws {
        guard batches.isEmpty, position < source.end else { return }
        batches = try reader.next(bytesMax: 1 << 20)[...]
        let partition = source.partition.description
        guard let first = batches.first else {
            throw ProofError.logEnds(partition: partition, wanted: source.end, end: position)
        }
        if first.baseOffset > position {
            throw ProofError.logStarts(partition: partition, start: first.baseOffset)
        }
    }
}
