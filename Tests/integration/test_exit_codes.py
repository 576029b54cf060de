"""One table of exit codes, and every command that can end with each of them."""

import contextlib
import re
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from conftest import wait_until
from support import DAMAGED, DONE, FAILED, USAGE, binary, ended, line, new_till, running, till_command

IN_USE, NOTHING_PROVED = 3, 5
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A directory with the data of a till that was stopped, and a file to load."""
    directory = tmp_path_factory.mktemp("codes")
    with running(new_till(directory)) as till:
        assert till.post("invoices", [line(client_line_no=str(n)) for n in range(50)]).status == 202
        assert till.get("/v1/status?after=latest&wait_ms=30000").status == 200
        till.stop()
    (directory / "rows.csv").write_text(",".join(line()) + "\n" + ",".join(map(str, line().values())) + "\n")
    return directory


def end(code, directory, *words, stdin=None):
    """Runs a command whose words may name the directory's parts."""
    known = {
        "DATA": directory / "data", "ROWS": directory / "rows.csv", "NONE": directory / "none",
        "NEW": directory / "new", "CONTRACT": directory / "contract.yaml",
    }  # fmt: skip
    return ended(till_command(*(known.get(word, word) for word in words), stdin=stdin), code)


def test_help_lists_the_codes():
    text = ended(till_command("help"), DONE)
    assert re.findall(r"^    (\d)  ", text.split("Exit codes:")[1], re.M) == ["0", "1", "2", "3", "4", "5"]


SERVERS = [
    ("status",), ("windows",), ("senders",), ("runs",), ("parked",), ("conflicts",), ("quarantine", "list"),
    ("quarantine", "rules"), ("quarantine", "show", "1"), ("quarantine", "redrive", "1"),
    ("quarantine", "discard", "1"),
]  # fmt: skip


@pytest.mark.parametrize("words", [*SERVERS, ("ingest", "invoices", "ROWS")], ids=" ".join)
def test_no_server_is_a_failure(stopped, words):
    assert "No connection to port 1" in end(FAILED, stopped, *words, "--to", NOBODY)


@pytest.mark.parametrize(
    "words",
    [
        ("backup", "NEW", "--data", "NONE"), ("restore", "NONE", "--data", "NEW"), ("restore", "--verify", "NONE"),
        ("prove", "--data", "NONE"), ("log", "stat", "--data", "NONE"), ("log", "verify", "--data", "NONE"),
        ("log", "dump", "--data", "NONE"), ("log", "dump", "--data", "DATA", "--topic", "none"),
        ("contract", "check", "NONE"), ("identity", "hash"),
        ("settings", "--effective", "--config", "NONE"), ("up", "--config", "NONE"),
        ("backup", "DATA", "--data", "DATA"),
        ("ingest", "invoices", "NONE", "--format", "csv", "--data", "NEW"), ("simulate", "nothing"),
        ("simulate", "pos", "--rate", "x"),
        ("identity",), ("log",), ("contract",), ("quarantine",), ("settings",), ("debug", "reference", "none"),
        ("none",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_not_there_is_a_wrong_command_line(stopped, words):
    end(USAGE, stopped, *words)
    assert not (stopped / "new").exists() or words[0] == "ingest"
    shutil.rmtree(stopped / "new", ignore_errors=True)


def test_a_wrong_name_is_a_wrong_command_line_on_a_running_till_too(directory):
    with running(new_till(directory)) as till:
        for words in (
            ("quarantine", "list", "--feed", "none"), ("quarantine", "list", "--rule", "none"),
            ("runs", "--feed", "none"),
            ("senders", "--feed", "none"), ("parked", "--feed", "none"), ("quarantine", "show", "9"),
            ("windows", "--from", "x"),
        ):  # fmt: skip
            ended(till_command(*words, "--to", till.url), USAGE)
        for words in SERVERS[:8]:
            ended(till_command(*words, "--to", till.url), DONE)
        said = ended(till_command("up", "--data", till.data, "--listen", "127.0.0.1:0"), IN_USE)
        assert "Another till writes to" in said, said


def test_what_was_done_and_what_was_found(stopped):
    for words in (
        ("log", "stat", "--data", "DATA"), ("log", "verify", "--data", "DATA"), ("log", "dump", "--data", "DATA"),
        ("prove", "--data", "DATA"), ("backup", "NEW", "--data", "DATA"), ("restore", "--verify", "NEW"),
        ("restore", "NEW", "--data", "NONE"), ("settings", "--effective"), ("version",), ("help",),
        ("identity", "hash"), ("simulate", "pos", "--count", "5", "--out", "-"), ("debug", "reference", "cli"),
        ("ingest", "invoices", "ROWS", "--data", "NONE"),
    ):  # fmt: skip
        end(DONE, stopped, *words, stdin=b"a secret that is long enough" if words[0] == "identity" else None)
    end(FAILED, stopped, "contract", "check", "ROWS")
    # A difference is a failure; a damaged backup and a damaged log are damage.
    with contextlib.closing(sqlite3.connect(stopped / "none/tables.sqlite")) as tables, tables:
        tables.execute("UPDATE sales_total SET orders = orders + 1")
    end(FAILED, stopped, "prove", "--data", "NONE")
    backup = next((stopped / "new").glob("log/feed.invoices/0/*.log"))
    for file, words in ((backup, ("restore", "--verify", "NEW")), (stopped / "none/log/feed.invoices/0", None)):
        path = file if file.is_file() else next(file.glob("*.log"))
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 1
        path.chmod(0o600)
        path.write_bytes(content)
        for command in (words,) if words else (("log", "verify", "--data", "NONE"), ("prove", "--data", "NONE")):
            end(DAMAGED, stopped, *command)


def test_empty_tables_prove_nothing(stopped, tmp_path):
    shutil.copytree(stopped / "data", tmp_path / "data")
    with contextlib.closing(sqlite3.connect(tmp_path / "data/tables.sqlite")) as tables, tables:
        for (name,) in tables.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if name not in ("till_owner",):
                tables.execute(f'DELETE FROM "{name}"')
    assert ended(till_command("prove", "--data", tmp_path / "data"), NOTHING_PROVED)


@pytest.mark.parametrize(
    "words", [("transform", "-"), ("ingest", "invoices", "-", "--data", "NEW"), ("identity", "hash")], ids=" ".join
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_waits_ends_at_a_signal(tmp_path, words, number):
    command = [binary(), *(str(tmp_path / "new") if word == "NEW" else word for word in words)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as waiting:
        wait_until(lambda: Path(f"/proc/{waiting.pid}/stat").read_text().split()[2] == "S", what="the command to wait")
        waiting.send_signal(number)
        assert waiting.wait(timeout=5) == -number
