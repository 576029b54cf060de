/// Limits of the ingest path, with their arithmetic.
package enum IngestLimits {
    /// Records of one request: 16 MiB of the shortest real events (80 bytes); also the limit of one record batch.
    package static let recordsMax = 200_000
    /// Rejections listed in one answer, as long as their reasons take no more than these bytes; the rest is counted in
    /// `rejected_more`. One more may be begun: a record has at most 100 reasons of about 300 bytes.
    package static let rejectionsListed = 1_000
    package static let rejectionBytesListed = 256 << 10
    /// Text headers that go into the envelope, in bytes.
    package static let headerBytesMax = 512
    /// Name of a sender's epoch, in bytes: a time, a uuid or a number fits.
    package static let epochBytesMax = 64
    /// A CSV header row in bytes.
    package static let csvHeaderBytesMax = 8 << 10
    /// Bodies up to this size are refined on the network thread: about 250 records, less than a millisecond.
    package static let smallBodyBytes = 64 << 10
    /// Larger requests that wait for their thread: at 16 MiB each 256 MiB, the limit of all bodies together.
    package static let largeRequestsWaiting = 16
    /// Runs whose order is watched at the same time; 100 bytes each.
    package static let runsMax = 10_000
    /// Records and bytes of one batch of quarantined records that go into the log again: one write of the disk.
    package static let resubmittedRecords = 8_192
    package static let resubmittedBytes = 1 << 20
}
