"""The product's JSON parser against Python's, document by document.

Both get the same bytes. They must agree on accept or refuse, and on the canonical form of what is accepted: source
order, numbers as written, strings with the fewest escapes. TILL_BIN names the binary (default: .build/release/till,
then .build/debug/till); TILL_FUZZ=full raises the mutations from 20,000 to 1,000,000.
"""

import base64
import json
import os
import pathlib
import random
import subprocess

import pytest
from json_corpus import ACCEPTED, REFUSED, nested

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTATIONS = 1_000_000 if os.environ.get("TILL_FUZZ") == "full" else 20_000
SEED = 20_091_201
BYTES_MAX, DEPTH_MAX, NODES_MAX, MEMBERS_MAX, NUMBER_MAX = 1 << 20, 32, 100_000, 10_000, 100


class Number(str):
    """The text of a number."""


class Refused(Exception):
    pass


def pairs(members):
    if len({key for key, _ in members}) != len(members):
        raise Refused("duplicate key")
    if len(members) > MEMBERS_MAX:
        raise Refused("members")
    return Members(members)


class Members(list):
    """An object as its pairs."""


def number(text):
    if len(text) > NUMBER_MAX:
        raise Refused("number length")
    return Number(text)


def constant(name):
    raise Refused(name)


DECODER = json.JSONDecoder(
    object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=constant, strict=True
)


def quoted(text):
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise Refused("lone surrogate")
    return json.dumps(text, ensure_ascii=False)


def emit(value, depth, out):
    """Appends the canonical text to `out`; returns the number of nodes."""
    if isinstance(value, (list, Members)):
        depth += 1
        if depth > DEPTH_MAX:
            raise Refused("depth")
        is_object, nodes = isinstance(value, Members), 1
        out.append("{" if is_object else "[")
        for index, item in enumerate(value):
            if index:
                out.append(",")
            if is_object:
                out.append(quoted(item[0]) + ":")
                nodes += 1
                item = item[1]
            nodes += emit(item, depth, out)
        out.append("}" if is_object else "]")
        return nodes
    if isinstance(value, Number):
        out.append(value)
    elif isinstance(value, str):
        out.append(quoted(value))
    else:
        out.append({None: "null", True: "true", False: "false"}[value])
    return 1


def python_answer(document):
    """The canonical bytes, or None when Python refuses."""
    if len(document) > BYTES_MAX:
        return None
    try:
        text = document.decode("utf-8", "strict")
        value, end = DECODER.raw_decode(text.lstrip(" \t\r\n"))
        if text.lstrip(" \t\r\n")[end:].strip(" \t\r\n"):
            return None
        out = []
        if emit(value, 0, out) > NODES_MAX:
            return None
        return "".join(out).encode("utf-8")
    except (ValueError, Refused, RecursionError):
        return None


def find_binary():
    named = os.environ.get("TILL_BIN")
    candidates = [pathlib.Path(named)] if named else [ROOT / ".build" / kind / "till" for kind in ("release", "debug")]
    for path in candidates:
        if path.exists():
            return str(path)
    pytest.skip("no till binary; build it or set TILL_BIN")


def till_answers(documents):
    """Canonical bytes, or the error's (code, offset), for each document."""
    stdin = b"".join(base64.b64encode(document) + b"\n" for document in documents)
    run = subprocess.run([find_binary(), "debug", "json"], input=stdin, capture_output=True, timeout=600)
    assert run.returncode == 0, run.stderr.decode(errors="replace")[-2000:]
    lines = run.stdout.decode("ascii").splitlines()
    assert len(lines) == len(documents), "one answer per line"
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "ok":
            yield base64.b64decode(rest, validate=True)
        else:
            assert kind == "error", line
            code, offset = rest.split(" ")
            yield code, int(offset)


def compare(documents):
    """Returns how many both accept."""
    accepted = 0
    for document, ours in zip(documents, till_answers(documents), strict=True):
        theirs = python_answer(document)
        if isinstance(ours, bytes):
            assert theirs is not None, f"till accepts, Python refuses: {document!r}"
            assert ours == theirs, f"different values: {document!r}"
            accepted += 1
        else:
            assert theirs is None, f"till refuses ({ours}), Python accepts: {document!r}"
            assert 0 <= ours[1] <= len(document), f"offset outside: {ours} {document!r}"
    return accepted


WORDS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\udc00",
    b"\\ud83d\\ude00",
    b"\\n",
    b"0",
    b"1",
    b"-",
    b".",
    b"e",
    b"E+",
    b"9",
    b"null",
    b"true",
    b"false",
    b"NaN",
    b"Infinity",
    b" ",
    b"\n",
    b"\t",
    b"\r",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xc3\xa9",
    b"\xe2\x82\xac",
    b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"a"',
    b'"a":1',
    b',"a":1',
    b"[[[[[[[[",
    b"]]]]]]]]",
    b'{"k":',
    b"00",
    b"/",
    b"''",
    b"\x0c",
]


def seeds():
    small = [document for document in ACCEPTED + REFUSED if len(document) <= 200]
    sale = {
        "event_id": "c1f0",
        "type": "sale",
        "store": "Köln-4",
        "at": "2010-12-01T08:26:00Z",
        "lines": [{"sku": "85123A", "text": '15" RULER', "quantity": 6, "price": "2.55"}, {"sku": None, "ok": True}],
        "total": 15.3,
        "note": "tab\there €😀",
    }
    return small + [json.dumps(sale).encode(), json.dumps(sale, ensure_ascii=False, indent=1).encode(), nested(31)]


def mutate(chance, document):
    out = bytearray(document)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at, kind = chance.randrange(len(out) + 1), chance.randrange(6)
        if kind == 0:
            out[at:at] = chance.choice(WORDS)
        elif kind == 1:
            out[at : at + chance.randrange(1, 5)] = b""
        elif kind == 2:
            out[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            out[at : at + 1] = chance.choice(WORDS)
        elif kind == 4:
            other = chance.randrange(len(out) + 1)
            out[at:at] = out[other : other + chance.randrange(1, 24)]
        elif at < len(out):
            out[at] ^= 1 << chance.randrange(8)
    return bytes(out)


@pytest.mark.parametrize("index", range(len(ACCEPTED)))
def test_python_accepts_the_corpus(index):
    assert python_answer(ACCEPTED[index]) is not None


@pytest.mark.parametrize("index", range(len(REFUSED)))
def test_python_refuses_the_corpus(index):
    assert python_answer(REFUSED[index]) is None


def test_both_accept_the_good_documents():
    assert compare(ACCEPTED) == len(ACCEPTED)


def test_both_refuse_the_bad_documents():
    assert compare(REFUSED) == 0


def test_both_agree_on_mutations():
    chance, base, accepted = random.Random(SEED), seeds(), 0
    for done in range(0, MUTATIONS, 20_000):
        accepted += compare([mutate(chance, chance.choice(base)) for _ in range(min(20_000, MUTATIONS - done))])
    print(f"{MUTATIONS} mutations, {accepted} accepted by both")
    assert accepted > MUTATIONS // 50, "the mutations keep enough documents valid to mean something"
