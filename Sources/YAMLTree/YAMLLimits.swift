/// Limits of one YAML file. Source: the largest file that people write by hand (a contract of 100 fields and 100 rules)
/// is about 40 KiB and 3,000 nodes; each limit leaves a factor of ten or more.
package enum YAMLLimits {
    /// Bytes of one file.
    package static let bytesMax = 1 << 20
    /// Mappings and sequences inside one another; the deepest place of a contract is at depth 6.
    package static let depthMax = 16
    /// Scalars, mappings and sequences of one file, keys included.
    package static let nodesMax = 50_000
}
