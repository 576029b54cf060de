#if TILL_MUTANTS
import CShims
#endif

/// Faults that a test build plants in the live folds and in the commit, so that `till prove` can be shown to find each.
/// In the product ``isPlanted(_:)`` is the constant false, every site vanishes, and so do the names: they are emitted into
/// their users only, else each would be a symbol.
public struct Mutant: Sendable {
    #if TILL_MUTANTS
    @usableFromInline let name: String

    /// The environment variable TILL_MUTANT, a name as it is written below.
    @usableFromInline static let active: String? = {
        guard let value = unsafe cshims_getenv("TILL_MUTANT") else { return nil }
        return unsafe String(cString: value)
    }()
    #endif

    @inlinable @inline(__always)
    init(_ name: StaticString = #function) {
        #if TILL_MUTANTS
        self.name = String("\(name)".dropLast("()".count))
        #endif
    }

    @inlinable @inline(__always)
    public static func isPlanted(_ mutant: Mutant) -> Bool {
        #if TILL_MUTANTS
        active == mutant.name
        #else
        false
        #endif
    }

    @_alwaysEmitIntoClient public static func droppedRetraction() -> Self { Self() }
    @_alwaysEmitIntoClient public static func doubledBatch() -> Self { Self() }
    @_alwaysEmitIntoClient public static func lostRecord() -> Self { Self() }
    @_alwaysEmitIntoClient public static func wrongZone() -> Self { Self() }
    @_alwaysEmitIntoClient public static func floatSum() -> Self { Self() }
    @_alwaysEmitIntoClient public static func offByOneWindow() -> Self { Self() }
    @_alwaysEmitIntoClient public static func swallowedLate() -> Self { Self() }
    @_alwaysEmitIntoClient public static func staleLookup() -> Self { Self() }
    @_alwaysEmitIntoClient public static func arrivalWins() -> Self { Self() }
    @_alwaysEmitIntoClient public static func countedDuplicate() -> Self { Self() }
    @_alwaysEmitIntoClient public static func uncancelledCounter() -> Self { Self() }
    @_alwaysEmitIntoClient public static func countedFailure() -> Self { Self() }
    @_alwaysEmitIntoClient public static func forgottenParked() -> Self { Self() }
    @_alwaysEmitIntoClient public static func repeatedRedrive() -> Self { Self() }
    @_alwaysEmitIntoClient public static func hiddenGap() -> Self { Self() }
    @_alwaysEmitIntoClient public static func silencedConflict() -> Self { Self() }
    @_alwaysEmitIntoClient public static func menuOfToday() -> Self { Self() }
    @_alwaysEmitIntoClient public static func lostRevision() -> Self { Self() }
    @_alwaysEmitIntoClient public static func lostHistory() -> Self { Self() }
    @_alwaysEmitIntoClient public static func lostPosition() -> Self { Self() }
    @_alwaysEmitIntoClient public static func replacedSum() -> Self { Self() }
    @_alwaysEmitIntoClient public static func skippedUpsert() -> Self { Self() }
}
