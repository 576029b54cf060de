#if TILL_MUTANTS
    import CShims
#endif

/// Faults that a test build plants in the live folds and in the commit, so that `till prove` can be shown to find each.
/// In the product ``isPlanted(_:)`` is the constant false and every site vanishes.
public enum Mutant: CaseIterable, Sendable {
    case droppedRetraction, doubledBatch, lostRecord, wrongZone, floatSum, offByOneWindow, swallowedLate, staleLookup,
        arrivalWins, countedDuplicate, uncancelledCounter, countedFailure, forgottenParked, repeatedRedrive, hiddenGap,
        silencedConflict, menuOfToday, lostRevision

    @inlinable @inline(__always)
    public static func isPlanted(_ mutant: Mutant) -> Bool {
        #if TILL_MUTANTS
            active == mutant
        #else
            false
        #endif
    }

    #if TILL_MUTANTS
        /// Named by the environment variable TILL_MUTANT, as the case is written.
        @usableFromInline static let active: Mutant? = {
            guard let value = unsafe cshims_getenv("TILL_MUTANT") else { return nil }
            let wanted = unsafe String(cString: value)
            guard let found = allCases.first(where: { "\($0)" == wanted }) else {
                fatalError("TILL_MUTANT names no mutant: \(wanted)")
            }
            return found
        }()
    #endif
}
