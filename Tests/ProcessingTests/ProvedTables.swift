import FaultKit
import Ports
import Proof
import RetailFolds
import RetailModel
import Tables
import Testing

enum ProvedTables {
    /// Folds records in batches of `size`, with a new process between two of them, and compares the tables with the
    /// proof.
    static func fold(_ records: [RefinedRecord], size: Int) throws -> MemoryTables {
        let store = MemoryTables(MemoryTables.Storage(RetailTables.all))
        let owner = store.claim()
        var position = PositionVector()
        var rest = records[...]
        while !rest.isEmpty {
            var fold = RetailFold()
            let (changes, _) = try fold.apply(Array(rest.prefix(size)), from: store)
            rest = rest.dropFirst(size)
            var to = position
            to.offsets[TopicPartition("feed.pos"), default: 0] += 1
            #expect(try store.commit(changes, from: position, to: to, owner: owner) == .committed)
            position = to
        }
        let found = try Proof.contents(of: store)
        let proved = try Proof.contents(of: records)
        #expect(found == proved, "found (-), proved (+)\(found.difference(from: proved))")
        return store
    }
}
