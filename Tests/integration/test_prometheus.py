"""A real Prometheus reads /metrics with the configuration of Examples/monitoring, and finds what was sent."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest
from conftest import ROOT, free_port, wait_until
from support import line, new_till, running
from test_identities import basic, identities, secret

MONITORING = ROOT / "Examples/monitoring"


def program(name):
    unpacked = ROOT / ".dev/prometheus/usr/bin" / name
    found = unpacked if unpacked.exists() else shutil.which(name)
    if not found:
        pytest.skip("no Prometheus (./dev test unpacks it where there is apt-get)")
    return found


def promtool(*words, stdin=None):
    done = subprocess.run(
        [program("promtool"), *map(str, words)], input=stdin, capture_output=True, timeout=60, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.fixture
def till(directory):
    with running(new_till(directory, "--config", identities(directory))) as till:
        yield till


def send(till, *events):
    reply = till.post("invoices", list(events), headers=basic("writer", secret("writer")))
    assert reply.status in (202, 422), reply


def test_the_exposition_is_right(till):
    send(till, line(), {})
    reply = till.get("/metrics", basic("operator", secret("operator")))
    assert promtool("check", "metrics", stdin=reply.body) == (0, "")


def test_the_examples_are_right():
    code, said = promtool("check", "config", MONITORING / "prometheus.yml")
    assert code == 0 and "6 rules found" in said, said


ALERTS = """
rule_files: [alerts.yml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'up{job="till"}', values: "1x20 0x40"}
      - {series: "till_ingest_records_rejected_total", values: "0x20 500x40"}
      - {series: 'till_http_requests_total{handler="/a",method="POST",status="503"}', values: "_x20 3x40"}
      - {series: "till_windows_late_sales_total", values: "0x20 50x40"}
      - {series: 'till_feed_lag_records{feed="pos"}', values: "0x20 20000x40"}
      - {series: 'till_parked_records{feed="orders"}', values: "0x60"}
    alert_rule_test:
      - {eval_time: 4m, alertname: TillRejectsRecords, exp_alerts: []}
      - {eval_time: 4m, alertname: TillRefusesRequests, exp_alerts: []}
      - {eval_time: 5m30s, alertname: TillRejectsRecords, exp_alerts: [{exp_annotations: {summary: REJECTS}}]}
      - {eval_time: 5m30s, alertname: TillRefusesRequests, exp_alerts: [{exp_annotations: {summary: REFUSES}}]}
      - {eval_time: 7m, alertname: TillDown, exp_alerts: [{exp_labels: {job: till}, exp_annotations: {summary: DOWN}}]}
      - {eval_time: 9m, alertname: TillTablesBehind, exp_alerts: []}
      - eval_time: 11m
        alertname: TillTablesBehind
        exp_alerts: [{exp_labels: {feed: pos}, exp_annotations: {summary: BEHIND}}]
      - {eval_time: 14m, alertname: TillLateSales, exp_alerts: []}
      - {eval_time: 14m, alertname: TillParkedRecordsWait, exp_alerts: []}
"""
SUMMARIES = {
    "REJECTS": "Records were rejected; till quarantine rules shows the feeds and rules.",
    "REFUSES": "Requests were answered with 429 or 5xx; see till_http_requests_total by handler.",
    "DOWN": "till is down; senders keep their records and retry.",
    "BEHIND": "pos: the tables are falling behind; GET /health/ready shows why.",
}


def test_a_short_burst_is_an_alert_and_quiet_is_none(directory):
    text = ALERTS
    for name, summary in SUMMARIES.items():
        text = text.replace(name, json.dumps(summary))
    shutil.copy(MONITORING / "alerts.yml", directory)
    (directory / "test.yml").write_text(text)
    code, said = promtool("test", "rules", directory / "test.yml")
    assert code == 0, said


def test_prometheus_finds_what_was_sent(till, directory):
    text = (MONITORING / "prometheus.yml").read_text()
    comment = "    # basic_auth: {username: monitor, password_file: /etc/prometheus/till-secret}\n"
    assert comment in text and "127.0.0.1:8080" in text
    (directory / "secret").write_text(secret("operator"))
    access = f"    basic_auth: {{username: operator, password_file: {directory}/secret}}\n"
    text = text.replace(comment, access).replace("127.0.0.1:8080", till.url.removeprefix("http://"))
    config = directory / "prometheus.yml"
    config.write_text(text.replace("scrape_interval: 5s", "scrape_interval: 1s"))
    shutil.copy(MONITORING / "alerts.yml", directory)
    for _ in range(3):
        send(till, line())
    send(till, {}, {"Quantity": "x"})
    port = free_port()
    words = [
        program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={directory}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (directory / "prometheus.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as server:
        try:

            def ask(query):
                url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
                try:
                    with urllib.request.urlopen(url, timeout=10) as reply:
                        found = json.load(reply)["data"]["result"]
                except OSError:
                    return None
                return float(found[0]["value"][1]) if len(found) == 1 else None

            wait_until(lambda: ask('up{job="till"}') == 1, 30, "a scrape")
            assert ask("till_ingest_records_accepted_total") == 3
            assert ask('till_http_requests_total{handler="/v1/feeds/invoices",status="202"}') == 3
            assert ask('till_quarantine_open_records{feed="invoices"}') == 2
            assert ask('sum(till_ingest_rule_violations_total{feed="invoices"})') >= 2
            quantile = "histogram_quantile(0.5, sum by (le) (till_http_request_duration_seconds_bucket))"
            wait_until(lambda: (found := ask(quantile)) is not None and 0 < found < 5, 10, "a quantile")
        finally:
            server.kill()
