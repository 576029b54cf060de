"""The command line: settings and where they come from, the log's tools, damage, exit codes."""

import json
import os
import re
import signal
import socket
import threading
import time

import pytest
from conftest import Till, wait_until
from support import (
    DAMAGED,
    DONE,
    EXAMPLE,
    FAILED,
    IN_USE,
    USAGE,
    binary,
    ended,
    line,
    log_dump,
    new_till,
    running,
    till_command,
    totals,
)


def test_settings_precedence(directory):
    """Default, file, environment, flag: the last that says something wins, and says so."""

    def effective(*words, **env):
        done = till_command("settings", "--effective", "--json", *words, env=env)
        found = json.loads(ended(done, DONE))["log.waiting_mebibytes"]
        return found["value"], found["origin"]

    config = directory / "till.yaml"
    config.write_text("# comment\nlog:\n  waiting_mebibytes: 11\n")
    assert effective() == ("64", "default")
    assert effective("--config", config) == ("11", f"{config}:3")
    environment = {"TILL_LOG_WAITING_MEBIBYTES": "12"}
    assert effective("--config", config, **environment) == ("12", "TILL_LOG_WAITING_MEBIBYTES")
    flag = ("--log.waiting_mebibytes", "13")
    assert effective("--config", config, *flag, **environment) == ("13", "--log.waiting_mebibytes")
    assert effective("--log.waiting_mebibytes=14") == ("14", "--log.waiting_mebibytes")


def test_every_setting_has_a_value_and_an_origin(directory):
    settings = json.loads(ended(till_command("settings", "--effective", "--json"), DONE))
    listed = ended(till_command("settings", "--effective"), DONE)
    for name, found in settings.items():
        if isinstance(found, dict):
            assert found["origin"] == "default" and f"{name}: {found['value']}" in listed


def test_a_variable_that_is_no_setting_is_named(directory):
    misspelled = {"TILL_LOGLEVEL": "info", "TILLER": "x", "TILL_LOG_LEVEL": "info", "TILL_DATA": "d"}
    said = json.loads(ended(till_command("settings", "--effective", "--json", env=misspelled), DONE))
    assert "TILL_LOGLEVEL" in said["unknown_variables"] and "TILLER" not in said["unknown_variables"]
    assert "TILL_LOGLEVEL of the environment is no setting" in ended(
        till_command("settings", "--effective", env=misspelled), DONE
    )
    assert not {"TILL_LOG_LEVEL", "TILL_DATA"} & set(said["unknown_variables"])
    till = Till(directory, binary=binary(), environment={**os.environ, **misspelled})
    with running(till):
        warned = "warning settings.variable_unknown variable=TILL_LOGLEVEL"
        wait_until(lambda: warned in till.log_tail(), 5, "the warning")
        assert "variable=TILL_LOG_LEVEL" not in till.log_tail()


def test_all_mistakes_of_a_configuration_with_their_lines(directory):
    config = directory / "till.yaml"
    config.write_text(
        "lissten: 127.0.0.1:1\nlog:\n  waiting_mebibytes: many\n  segment_mibs: 7\nlog_level: loud\n"
        "identities:\n  - name: a\n    secret_sha256: xyz\n    scopes: [read:everything]\n    colour: red\n"
    )
    for command in (("up", "--data", directory / "d"), ("settings", "--effective")):
        text = ended(till_command(*command, "--config", config, env={"TILL_TABLES_READERS": "99"}), USAGE)
        for place in ("1:1", "3", "4:3", "5", "8:", "9:", "10:"):
            assert f"till.yaml:{place}" in text, (place, text)
        for word in ("lissten", "waiting_mebibytes", "segment_mibs", "log_level", "read:everything", "colour"):
            assert word in text, (word, text)
        assert "TILL_TABLES_READERS" in text
    assert not (directory / "d").exists(), "nothing was started"


@pytest.mark.parametrize(
    "text",
    ["log: [1", "a: b: c", "- 1\n- 2\n", "listen: [1, 2]\n", "listen: 1\nlisten: 2\n", "contracts: [missing.yaml]\n"],
)
def test_files_that_are_no_configuration(directory, text):
    config = directory / "till.yaml"
    config.write_text(text)
    output = ended(till_command("up", "--config", config, "--data", directory / "d", "--listen", "127.0.0.1:0"), USAGE)
    assert "till.yaml" in output or "missing.yaml" in output


@pytest.mark.parametrize(
    "words",
    [
        ("sell",), ("up", "--lissten", "x"), ("up", "now"), ("up", "--data"), ("up", "--listen", "8080"),
        ("up", "--listen", "127.0.0.1:99999"), ("up", "--config", "missing.yaml"), ("ingest",), ("ingest", "invoices"),
        ("ingest", "invoices", "-", "x.csv"), ("ingest", "invoices", "x.parquet", "--to", "http://127.0.0.1:1"),
        ("ingest", "invoices", "missing.csv", "--data", "d"), ("log",), ("log", "shred"), ("contract", "check"),
        ("log", "dump", "--from", "x"), ("ingest", "invoices", "-", "--to", "ftp://127.0.0.1"),
    ],
)  # fmt: skip
def test_wrong_command_lines(directory, words):
    """Exit code 2 and a sentence."""
    done = till_command(*words)
    assert len(ended(done, USAGE).strip()) > 20


def test_help_of_a_command():
    text = ended(till_command("prove", "--help"), DONE)
    assert text.startswith("till prove [--data DIR]") and text.splitlines()[1:] == [
        "SETTINGS: --config FILE, and every setting of docs/reference/settings.md as --NAME VALUE, for example "
        "--log_level info."
    ]
    assert "--duplicates P" in ended(till_command("simulate", "pos", "--help"), DONE)
    assert ended(till_command("unheard-of", "--help"), DONE) == ended(till_command("help"), DONE)


COMMANDS = [
    "up", "ingest", "transform",
    "log", "status", "windows", "senders", "runs", "parked", "conflicts", "quarantine list",
    "quarantine rules",
    "quarantine show", "quarantine redrive", "quarantine discard", "backup", "restore", "prove", "settings", "simulate",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option_and_no_other(directory, command):
    """What a command takes is what it says when it is given something else."""
    said = ended(till_command(*command.split(), "--no-such-option"), USAGE)
    option = re.compile(r"--([a-z_.-]*[a-z])")
    taken = set(option.findall(said.split("known are")[1]))
    text = ended(till_command(*command.split(), "--help"), DONE)
    named = set(option.findall(text))
    if "SETTINGS: " in text:
        listed = json.loads(ended(till_command("settings", "--effective", "--json"), DONE))
        settings = {name for name in listed if isinstance(listed[name], dict)}
        assert taken >= settings | {"config"}
        named = set(option.findall(text.split("SETTINGS: ")[0])) | {"config"}
        taken -= settings - named
    if " " in command:  # the help is of all its commands
        assert taken <= named, taken - named
    else:
        assert named == taken, f"help only {sorted(named - taken)}, taken only {sorted(taken - named)}"


def test_every_command_is_tried():
    text = ended(till_command("help"), DONE)
    found = set(re.findall(r"^till ([a-z]+)", text, re.M)) - {"contract", "identity", "version"}
    assert found == {command.split()[0] for command in COMMANDS}


def test_words_that_always_work(directory):
    assert ended(till_command("version"), DONE).startswith("till ")
    text = ended(till_command("help"), DONE)
    assert ended(till_command(), DONE) == text
    assert all(word in text for word in ("till up", "till ingest", "till contract check", "till log", "till settings"))


# --- one writer, many readers -----------------------------------------------------------------------------------------


def test_one_writer_and_readers_beside_it(directory):
    with running(new_till(directory)) as till:
        assert till.post("invoices", [line(), line(Quantity=0)]).status == 202
        rows = directory / "a.csv"
        rows.write_text("InvoiceNo\n1\n")
        for command in (("up", "--listen", "127.0.0.1:0"), ("ingest", "invoices", rows)):
            text = ended(till_command(*command, "--data", till.data), IN_USE)
            assert str(till.data) in text
        assert "feed.invoices/0" in ended(till_command("log", "stat", "--data", till.data), DONE)
        stat = ended(till_command("log", "stat", "--json", "--data", till.data), DONE)
        (feed,) = [one for one in map(json.loads, stat.splitlines()) if one["partition"] == "feed.invoices/0"]
        assert (feed["start"], feed["end"]) == (0, 2)
        verified = json.loads(ended(till_command("log", "verify", "--json", "--data", till.data), DONE))
        assert verified["damages"] == [] and verified["records"] >= 2
        assert [record["offset"] for record in log_dump(till)] == [0, 1]
        dump = till_command("log", "dump", "--data", till.data, "--from", "1", "--limit", "1")
        assert [json.loads(one)["offset"] for one in dump.stdout.splitlines()] == [1]
        assert till.get("/health/ready").status == 200
        assert till.stop() == DONE
    with running(till):
        assert totals(till)["received"] == 2, "the directory is free again"


def test_log_tools_without_a_log(directory):
    for verb in ("stat", "verify", "dump"):
        text = ended(till_command("log", verb, "--data", directory / "nothing"), USAGE)
        assert "--data" in text and "nothing" in text
    assert not (directory / "nothing").exists(), "readers create nothing"
    (directory / "killed").mkdir()
    (directory / "killed/LOCK").touch()
    text = ended(till_command("log", "verify", "--data", directory / "killed"), DONE)
    assert "0 records in 0 bytes verified, 0 damages" in text, "killed before there was a log"


# --- contracts --------------------------------------------------------------------------------------------------------


def test_contract_check(directory):
    contract = (EXAMPLE.parents[2] / "Contracts/invoices.yaml").read_text()
    good = directory / "good.yaml"
    good.write_text(contract)
    assert "contract invoices version 1 is good" in ended(till_command("contract", "check", good), DONE)
    bad = directory / "bad.yaml"
    bad.write_text(
        contract.replace("type: integer", "type: intiger", 1)
        .replace("check: Quantity != 0", "check: Quantty != 0")
        .replace("version: 1", "version: one")
        .replace("on_failure: flag", "on_failure: shout", 1)
    )
    done = till_command("contract", "check", good, bad)
    text = ended(done, FAILED)
    lines = bad.read_text().splitlines()
    for word in ("intiger", "Quantty", "one", "shout"):
        number = next(n for n, one in enumerate(lines, 1) if word in one and ":" in one and not one.startswith("#"))
        found = [one for one in text.splitlines() if one.startswith(f"{bad}:{number}:")]
        assert found, (word, number, text)
        column = int(found[0].removeprefix(f"{bad}:{number}:").split(":")[0])
        assert 1 <= column <= len(lines[number - 1]) + 1
    (one, other) = json.loads(till_command("contract", "check", good, bad, "--json").stdout)
    assert (one["file"], one["contract"], one["problems"]) == (str(good), "invoices", [])
    assert other["contract"] is None
    assert [f"{bad}:{p['line']}:{p['column']}: {p['message']}" for p in other["problems"]] == text.splitlines()[1:]
    assert "missing.yaml" in ended(till_command("contract", "check", directory / "missing.yaml"), USAGE)
    config = directory / "till.yaml"
    config.write_text(f"contracts: [{bad}]\n")
    text = ended(till_command("up", "--config", config, "--data", directory / "d", "--listen", "127.0.0.1:0"), USAGE)
    assert "intiger" in text and "Quantty" in text


# --- damage -----------------------------------------------------------------------------------------------------------


def segments(till):
    return sorted((till.data / "log").glob("feed.invoices/**/*"), key=lambda path: -path.stat().st_size)


def test_damage_in_the_middle_is_found_and_named(directory):
    """One byte: till up refuses, names segment and byte, and changes nothing."""
    with running(new_till(directory)) as till:
        for number in range(40):
            assert till.post("invoices", [line(InvoiceNo=f"{number}-{n}") for n in range(20)]).status == 202
        assert till.stop() == DONE
    (segment, *_) = [path for path in segments(till) if path.is_file()]
    content = bytearray(segment.read_bytes())
    place = len(bytes(content).rstrip(b"\0")) // 2
    content[place] ^= 0x10
    segment.write_bytes(content)
    verdict = till_command("log", "verify", "--data", till.data)
    text = ended(verdict, DAMAGED)
    assert "damage" in text and segment.name in text
    for with_tables in (True, False):
        # Without tables they are rebuilt, which must not skip what it cannot read.
        for suffix in () if with_tables else ("", "-wal", "-shm"):
            (till.data / f"tables.sqlite{suffix}").unlink(missing_ok=True)
        done = till_command("up", "--data", till.data, "--listen", "127.0.0.1:0", timeout=20)
        text = ended(done, DAMAGED)
        assert segment.name in text and "byte" in text, text
        assert segment.read_bytes() == bytes(content), "the damage is left as it is"
    content[place] ^= 0x10
    segment.write_bytes(content)
    with running(till):
        assert totals(till)["distinct"] == 800


SEAL_BYTES = 52


def test_damage_before_a_seal_is_damage_also_without_tables(directory):
    with running(new_till(directory)) as till:
        for number in range(3):
            assert till.post("invoices", line(InvoiceNo=str(number))).status == 202
        assert totals(till)["distinct"] == 3
        assert till.stop() == DONE
    for path in till.data.glob("tables.sqlite*"):
        path.unlink()
    (segment, *_) = [path for path in segments(till) if path.is_file()]
    content = bytearray(segment.read_bytes())
    content[-SEAL_BYTES - 20] ^= 0x10
    segment.write_bytes(content)
    assert "1 damages" in ended(till_command("log", "verify", "--data", till.data), DAMAGED)
    text = ended(till_command("up", "--data", till.data, "--listen", "127.0.0.1:0", timeout=20), DAMAGED)
    assert segment.name in text
    assert segment.read_bytes() == content


def test_damage_in_the_last_group_is_no_torn_tail_when_tables_have_it(directory):
    with running(new_till(directory)) as till:
        for number in range(3):
            assert till.post("invoices", line(InvoiceNo=str(number))).status == 202
        assert totals(till)["distinct"] == 3
        assert till.stop() == DONE
    (segment, *_) = [path for path in segments(till) if path.is_file()]
    content = bytearray(segment.read_bytes()[:-SEAL_BYTES])  # as an earlier till leaves it
    content[len(bytes(content).rstrip(b"\0")) - 20] ^= 0x10
    segment.write_bytes(content)
    text = ended(till_command("log", "verify", "--data", till.data), DAMAGED)
    assert "feed.invoices/0 ends at offset 2, and the tables have results of it up to 3" in text and "1 damages" in text
    found = json.loads(ended(till_command("log", "verify", "--data", till.data, "--json"), DAMAGED))
    assert len(found["damages"]) == 1 == len(found["tails"])
    ended(till_command("up", "--data", till.data, "--listen", "127.0.0.1:0", timeout=20), DAMAGED)
    text = ended(till_command("log", "dump", "--data", till.data, "--topic", "feed.nope"), USAGE)
    assert "feed.nope" in text and "feed.invoices" in text


def test_a_torn_tail_is_cut_and_told(directory):
    """What a crash leaves at the end is no damage: it is cut off at the next start."""
    with running(new_till(directory)) as till:
        assert till.post("invoices", line()).status == 202
        assert till.stop() == DONE
    (segment, *_) = [path for path in segments(till) if path.is_file()]
    with open(segment, "ab") as file:
        file.write(segment.read_bytes()[-40:][:17])
    ended(till_command("log", "verify", "--data", till.data), DONE)
    with running(till):
        assert totals(till)["distinct"] == 1
        assert till.post("invoices", line(InvoiceNo="2")).status == 202
        assert totals(till)["distinct"] == 2
    assert "tail_cut" in till.log_tail()


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(directory, number):
    """Requests under way are answered, and then the process ends with 0."""
    with running(new_till(directory, "--log.added_sync_milliseconds", "300")) as till:
        replies = []
        # The last one is judged on the thread of large requests.
        bodies = [[line(InvoiceNo=str(n))] for n in range(7)] + [[line(InvoiceNo=f"L{n}") for n in range(500)]]
        senders = [
            threading.Thread(target=lambda body=body: replies.append(till.post("invoices", body))) for body in bodies
        ]
        for sender in senders:
            sender.start()
        idle = socket.create_connection(("127.0.0.1", till._port))
        time.sleep(0.15)
        till.process.send_signal(number)
        assert till.process.wait(15) == DONE
        for sender in senders:
            sender.join()
        idle.close()
        assert [reply.status for reply in replies] == [202] * 8, "none of them was cut off"
        assert "Traceback" not in till.log_tail() and "drain" in till.log_tail()
        till.process = None
    with running(till):
        assert totals(till)["distinct"] == 507


def test_stopping_with_a_listener_of_live_figures(directory):
    with running(new_till(directory)) as till, socket.create_connection(("127.0.0.1", till._port)) as stream:
        stream.sendall(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert stream.recv(4096).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        assert till.stop() == DONE
        assert time.monotonic() - started < 12
