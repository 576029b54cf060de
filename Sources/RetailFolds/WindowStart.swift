import Primitives
package import RetailModel

// Here and not in the model, so that the proof cannot use them.

extension WindowPolicy {
    /// Start of the window that holds an instant.
    package func start(of micros: Int64) -> Int64 {
        let rest = micros % length
        if Mutant.isPlanted(.offByOneWindow()), rest == 0 { return micros - length }
        return micros - (rest < 0 ? rest + length : rest)
    }
}

extension DocumentHeader {
    /// Start of its turnover window; nil without windows.
    package var windowStart: Int64? { window?.start(of: occurredAt.micros) }
}
