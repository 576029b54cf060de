import Testing

@testable import Telemetry

@Suite struct LabelledMetricsTests {
    private func text(_ metrics: LabelledMetrics) -> [String] {
        var text = ""
        metrics.write(to: &text)
        return text.split(separator: "\n").map(String.init)
    }

    @Test func labelsAreEscapedAsTheFormatSays() {
        let metrics = LabelledMetrics()
        metrics.add(.ingest_rule_violations_total, ["a\\b", "say \"no\"\nnow"], 2)
        metrics.add(.ingest_rule_violations_total, ["a\\b", "say \"no\"\nnow"], 1)
        #expect(text(metrics).contains(#"till_ingest_rule_violations_total{feed="a\\b",rule="say \"no\"\nnow"} 3"#))
    }

    @Test func aHistogramCountsUpwardsAndWhatIsAboveAllBounds() {
        let metrics = LabelledMetrics()
        for seconds in [0, 1, 1.001, 7, 1e9] { metrics.observe(.windows_close_delay_seconds, [], seconds) }
        let lines = text(metrics).filter { $0.hasPrefix("till_windows_close_delay_seconds") }
        #expect(
            lines == [
                #"till_windows_close_delay_seconds_bucket{le="1"} 2"#,
                #"till_windows_close_delay_seconds_bucket{le="5"} 3"#,
                #"till_windows_close_delay_seconds_bucket{le="10"} 4"#,
                #"till_windows_close_delay_seconds_bucket{le="30"} 4"#,
                #"till_windows_close_delay_seconds_bucket{le="60"} 4"#,
                #"till_windows_close_delay_seconds_bucket{le="300"} 4"#,
                #"till_windows_close_delay_seconds_bucket{le="3600"} 4"#,
                #"till_windows_close_delay_seconds_bucket{le="86400"} 4"#,
                #"till_windows_close_delay_seconds_bucket{le="+Inf"} 5"#,
                "till_windows_close_delay_seconds_sum 1000000009.001",
                "till_windows_close_delay_seconds_count 5",
            ]
        )
    }

    @Test func seriesHaveAnEnd() {
        let metrics = LabelledMetrics()
        for number in 0..<1_500 { metrics.add(.parked_records, ["feed\(number)"], 1) }
        let lines = text(metrics).filter { $0.hasPrefix("till_parked_records{") }
        #expect(lines.count == 1_001)
        #expect(lines.contains(#"till_parked_records{feed="other"} 500"#))
    }

    @Test func gaugesThatAreSetAnewForgetTheOthers() {
        let metrics = LabelledMetrics()
        metrics.set(.parked_records, ["orders"], 7)
        metrics.set(.quarantine_open_records, ["orders"], 7)
        metrics.replace([.parked_records: [["pos"]: 1]])
        #expect(metrics.value(.parked_records, ["pos"]) == 1 && metrics.value(.parked_records, ["orders"]) == nil)
        #expect(metrics.value(.quarantine_open_records, ["orders"]) == 7)
    }

    @Test func boundsOfRequestsAreSecondsAsText() {
        let traffic = HTTPTraffic(handlers: ["other", "/a"], methods: ["other", "GET"])
        traffic.answered(1, method: 1, status: 200, nanos: 2_000_000, bytesIn: 0, bytesOut: 10)
        traffic.answered(1, method: 1, status: 200, nanos: 2_000_001, bytesIn: 3, bytesOut: nil)
        let lines = traffic.prometheusText().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.first == #"till_http_requests_total{handler="/a",method="GET",status="200"} 2"#)
        #expect(lines.contains(#"till_http_request_duration_seconds_bucket{handler="/a",le="0.002"} 1"#))
        #expect(lines.contains(#"till_http_request_duration_seconds_bucket{handler="/a",le="0.005"} 2"#))
        #expect(lines.contains(#"till_http_request_size_bytes_sum{handler="/a"} 3.0"#))
        #expect(lines.contains(#"till_http_response_size_bytes_count{handler="/a"} 1"#))
    }
}
