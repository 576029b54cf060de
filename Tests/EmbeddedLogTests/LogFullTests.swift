import CShims
import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import Synchronization
import Testing

@testable import EmbeddedLog

/// A disk without room: what does not fit is refused and stays away, what was acknowledged stays, and appending goes on
/// when there is room.
@Suite(.timeLimit(.minutes(1))) struct LogFullTests {
    @Test(arguments: Fault.Kind.allCases, 0..<8 as Range<UInt64>)
    func `appending goes on after any operation found no room`(kind: Fault.Kind, seed: UInt64) throws {
        var operation = 0
        var refused = 0
        while true {
            let disk = SimulatedDisk(
                seed: seed,
                fault: Fault(kind, atOperation: operation, errno: 28, onlyForSpace: true)
            )
            var work = Workload()
            let first = try? PartitionLog.open(disk)
            if let first { work.run(first, 8) }
            refused += work.refusals
            if let first, work.refusals > 0, try first.values().count == work.acknowledged.count {
                // The process ends here: of what was refused not even torn bytes are left.
                for survivor in [disk.afterRestart(), disk.afterPowerLoss(seed: seed)] {
                    #expect(try LogInspection.verify("log", survivor).tails == [], "operation \(operation)")
                    #expect(try work.objection(to: PartitionLog.open(survivor).values()) == nil)
                }
            }
            let isMet = disk.operations > operation
            disk.arm(nil)

            // There is room again: nothing was restarted, nothing is refused any more.
            let log = try first ?? PartitionLog.open(disk)
            let refusals = work.refusals
            work.run(log, 4)
            #expect(log.poison == nil)
            #expect(work.refusals == refusals, "refused although there is room, operation \(operation)")
            #expect(try work.objection(to: log.values()) == nil, "operation \(operation)")
            for survivor in [disk.afterRestart(), disk.afterPowerLoss(seed: seed)] {
                let recovered = try PartitionLog.open(survivor)
                #expect(recovered.cut == nil, "what was refused is cut off already, operation \(operation)")
                #expect(try work.objection(to: recovered.values()) == nil, "operation \(operation)")
                #expect(try LogInspection.verify("log", survivor).damages == [])
            }
            guard isMet else { break }
            operation += 1
        }
        #expect(operation > 30 && refused > 10)
    }

    @Test func `a power cut while what does not fit is undone brings nothing back`() throws {
        for seed in 0..<64 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            var work = Workload()
            let log = try PartitionLog.open(disk, segmentBytes: 1 << 20)
            work.run(log, 3)
            // The write finds no room, and the truncation or its sync fails: the power goes.
            disk.arm(Fault(.forever, atOperation: disk.operations, errno: 28))
            work.run(log, 1)
            let poison = try #require(log.poison)
            #expect(poison.contains("no space left") && poison.contains(", then truncate "))
            #expect(work.refusedForSpace.isEmpty, "of a batch refused by a stopped log nothing is promised")
            disk.arm(nil)
            work.run(log, 1)
            #expect(work.refusals == 2, "stopped until it is opened again")
            let recovered = try PartitionLog.open(disk.afterPowerLoss(seed: seed))
            #expect(try work.objection(to: recovered.values()) == nil)
            #expect(try recovered.values().count == work.acknowledged.count, "half a group is no group")
        }
    }

    @Test(arguments: Fault.Kind.allCases)
    func `on real files the log goes on after one refusal and stops when undoing fails`(kind: Fault.Kind) throws {
        let base = try TemporaryDirectory()
        let log = try PartitionLog.open(PosixDisk(), base.path + "/feed.test/0")
        var work = Workload()
        work.run(log, 2)
        cshims_fault_arm(0, 28, kind == .forever)
        work.run(log, 1)
        cshims_fault_disarm()
        #expect((log.poison == nil) == (kind == .once))
        work.run(log, 9)
        #expect(work.refusals == (kind == .once ? 1 : 10))
        #expect(try work.objection(to: log.values()) == nil)
        let again = try PartitionLog.open(PosixDisk(), base.path + "/feed.test/0")
        #expect(try work.objection(to: again.values()) == nil)
    }

    @Test func `a full disk does not keep a log from being opened`() throws {
        let disk = SimulatedDisk(seed: 1)
        var work = Workload()
        work.run(try PartitionLog.open(disk), 12)
        for path in disk.paths where path.hasSuffix(".index") { disk.remove(path) }
        disk.arm(Fault(.forever, atOperation: 0, errno: 28, onlyForSpace: true))
        // The last group is written again in place; that takes no room on a real disk, here it would.
        let error = #expect(throws: EventLogError.self) { _ = try PartitionLog.open(disk) }
        #expect(error?.description.contains("00000000000000000000.index") == false)
    }

    @Test func `what was sent behind a refused batch is refused with it, in order`() async throws {
        let gate = GatedDisk(SimulatedDisk(seed: 1))
        let log = try EmbeddedLogTests.open(gate)
        let answers = Mutex<[String]>([])
        @Sendable func note(_ name: String) -> @Sendable (Result<LogReceipt, EventLogError>) -> Void {
            { result in
                switch result {
                case .success: answers.withLock { $0.append(name) }
                case .failure(let error): answers.withLock { $0.append("\(name) \(error.code)") }
                }
            }
        }
        gate.hold()
        try log.submit(.of(["first"]), completion: note("first"))
        #expect(gate.waitUntilHeld())
        gate.fill(true)
        try log.submit(.of(["second"])) { result in
            note("second")(result)
            // There is room by now, but its predecessor's sender is only just being told.
            gate.fill(false)
            do throws(EventLogError) {
                try log.submit(.of(["overtakes"]), completion: note("overtakes"))
            } catch {
                note("overtakes")(.failure(error))
            }
        }
        for name in ["third", "fourth"] { try log.submit(.of([name]), completion: note(name)) }
        try log.submit(.of(["elsewhere"], to: TopicPartition("feed.test", 1)), completion: note("elsewhere"))
        gate.release()
        while answers.withLock({ $0.count }) < 6 { await Task.yield() }
        #expect(
            answers.withLock { $0 } == [
                "first", "second log.full", "overtakes log.full", "third log.full", "fourth log.full",
                "elsewhere log.full",
            ]
        )
        _ = try await log.append(["fifth"])
        #expect(try log.values() == ["first", "fifth"])
        log.close()
    }

    @Test func `a full log that nobody sends to notices that there is room`() async throws {
        let gate = GatedDisk(SimulatedDisk(seed: 1))
        let log = try EmbeddedLogTests.open(gate)
        gate.fill(true)
        await #expect(throws: EventLogError.self) { _ = try await log.append(["a"]) }
        #expect(log.failure()?.code == "log.full")
        gate.fill(false)
        for _ in 0..<100 where log.failure() != nil { try await Task.sleep(for: .milliseconds(50)) }
        #expect(log.failure() == nil)
        _ = try await log.append(["b"])
        log.close()
        #expect(log.partitions() == [feed])
        let again = try EmbeddedLogTests.open(gate)
        #expect(try again.values() == ["b"])
        again.close()
    }
}
