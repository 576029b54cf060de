import CShims
import Primitives
import SQLiteTables

/// What a memory limit of the process's group leaves for caches. A container of 256 MiB must hold every request that
/// the limits allow; what is fast with more memory is not worth being killed.
struct MemoryBudget {
    /// Bytes that the group may use; nil without a limit below 1 GiB.
    let limit: Int64?

    private static let plenty: Int64 = 1 << 30

    init(limit: Int64?) { self.limit = limit.flatMap { $0 < Self.plenty ? $0 : nil } }

    /// Of the cgroup that the process is in, version 1 or 2.
    static func ofGroup() -> MemoryBudget {
        let groups = (try? WholeFile.read("/proc/self/cgroup", bytesMax: 1 << 16)) ?? []
        var places: [String] = []
        for line in String(decoding: groups, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            // A container sees its own group as the root.
            for path in [String(parts[2]), ""] {
                if parts[1].split(separator: ",").contains("memory") {
                    places.append("/sys/fs/cgroup/memory\(path)/memory.limit_in_bytes")
                } else if parts[1].isEmpty {
                    places.append("/sys/fs/cgroup\(path)/memory.max")
                }
            }
        }
        let limits = places.compactMap { place in
            (try? WholeFile.read(place, bytesMax: 64)).flatMap { bytes in
                Int64(String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self))
            }
        }
        return MemoryBudget(limit: limits.min())
    }

    /// Makes the caches of the tables smaller, and the allocator give memory back.
    ///
    /// - Parameter isChosen: The cache of the writer was set by a person.
    func apply(to settings: inout SQLiteTablesSettings, isChosen: Bool) {
        guard let limit else { return }
        cshims_spare_memory()
        // Of 256 MiB: 16 for the writer, and 1 for each of six readers; 4 request bodies of 16 MiB have room, twice.
        if !isChosen { settings.cacheKibibytes = min(settings.cacheKibibytes, max(4_096, Int(limit >> 14))) }
        settings.readerCacheKibibytes = min(settings.readerCacheKibibytes, max(512, Int(limit >> 18)))
    }
}
