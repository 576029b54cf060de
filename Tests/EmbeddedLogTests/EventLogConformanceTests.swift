import FaultKit
import Foundation
import PortConformance
import Ports
import Primitives
import Synchronization
import Testing

@testable import EmbeddedLog

/// A directory of its own for one test, removed at the end.
final class TemporaryDirectory: Sendable {
    let path: String
    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/till-log-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

final class EmbeddedLogSubject: EventLogSubject {
    enum Storage: String, CaseIterable { case files, simulated }

    private struct State: Sendable {
        var simulated = SimulatedDisk(seed: 7)
        var gate: GatedDisk?
        var log: EmbeddedLog?
        var broken = false
    }

    private let storage: Storage
    private let directory: TemporaryDirectory
    private let state = Mutex(State())
    let waitingBytesMax = 64 << 10

    init(_ storage: Storage) throws {
        self.storage = storage
        directory = try TemporaryDirectory()
    }

    func open() throws -> any EventLog {
        close()
        let gate = state.withLock { state in
            let gate = GatedDisk(storage == .files ? PosixDisk() : state.simulated)
            state.gate = gate
            return gate
        }
        var settings = EmbeddedLogSettings()
        settings.segmentBytes = 2_000
        settings.waitingBytesMax = waitingBytesMax
        let log = try EmbeddedLog(
            directory: directory.path + "/log",
            disk: gate,
            settings: settings,
            time: SystemTime()
        )
        try log.start()
        state.withLock { $0.log = log }
        return log
    }

    func close() {
        state.withLock { $0.log.take() }?.close()
    }

    func cutPower() {
        close()
        state.withLock { $0.simulated = $0.simulated.afterPowerLoss(seed: 11) }
    }

    private var gate: GatedDisk? { state.withLock { $0.gate } }
    func holdSyncs() { gate?.hold() }
    func waitUntilHeld() -> Bool { gate?.waitUntilHeld() ?? false }
    func releaseSyncs() { gate?.release() }
    func fillStorage(_ full: Bool) { gate?.fill(full) }
    func breakStorage(_ broken: Bool) { broken ? gate?.fail(errno: 5) : gate?.mend() }
}

@Suite struct EventLogConformanceTests {
    @Test(.timeLimit(.minutes(1)), arguments: EventLogConformance.all, EmbeddedLogSubject.Storage.allCases)
    func `keeps the contract of EventLog`(rule: EventLogConformance, on storage: EmbeddedLogSubject.Storage)
        async throws
    {
        let subject = try EmbeddedLogSubject(storage)
        defer { subject.close() }
        try await rule.check(subject)
    }
}
