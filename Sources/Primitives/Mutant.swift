#if TILL_MUTANTS
    import CShims
#endif

/// Faults that a test build plants in the live folds and in the commit, so that `till prove` can be shown to find each.
/// In the product ``isPlanted(_:)`` is the constant false, every site vanishes, and so do the names.
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
            self.name = "\(name)"
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

    @inlinable public static var droppedRetraction: Self { Self() }
    @inlinable public static var doubledBatch: Self { Self() }
    @inlinable public static var lostRecord: Self { Self() }
    @inlinable public static var wrongZone: Self { Self() }
    @inlinable public static var floatSum: Self { Self() }
    @inlinable public static var offByOneWindow: Self { Self() }
    @inlinable public static var swallowedLate: Self { Self() }
    @inlinable public static var staleLookup: Self { Self() }
    @inlinable public static var arrivalWins: Self { Self() }
    @inlinable public static var countedDuplicate: Self { Self() }
    @inlinable public static var uncancelledCounter: Self { Self() }
    @inlinable public static var countedFailure: Self { Self() }
    @inlinable public static var forgottenParked: Self { Self() }
    @inlinable public static var repeatedRedrive: Self { Self() }
    @inlinable public static var hiddenGap: Self { Self() }
    @inlinable public static var silencedConflict: Self { Self() }
    @inlinable public static var menuOfToday: Self { Self() }
    @inlinable public static var lostRevision: Self { Self() }
}
