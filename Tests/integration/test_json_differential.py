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


def nested(depth):
    return b"[" * depth + b"]" * depth


def wide(count, last):
    return b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(count)) + b',"' + last + b'":0}'


ACCEPTED = [
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"-0.0",
    b"7",
    b"-7",
    b"10",
    b"1e5",
    b"1E5",
    b"1e+5",
    b"1e-05",
    b"0e0",
    b"0.5",
    b"0.000",
    b"1.0e00",
    b"1e9999",
    b"-1e-9999",
    b"123456789012345678901234567890",
    b"1" * 100,
    b"0." + b"3" * 98,
    b'""',
    b'"a"',
    b'" "',
    b'"/"',
    rb'"\/"',
    rb'"\\"',
    rb'"\""',
    rb'"\b\f\n\r\t"',
    rb'"\u0000"',
    rb'"\u001f"',
    rb'"\u007f"',
    b'"\x7f"',
    rb'"\u00e9"',
    rb'"\u00E9"',
    '"é"'.encode(),
    '"€"'.encode(),
    '"😀"'.encode(),
    rb'"\ud83d\ude00"',
    rb'"\uD83D\uDE00"',
    rb'"\u2028\u2029"',
    '"\u2028\u2029"'.encode(),
    '"\ufeff"'.encode(),
    rb'"\ufeff"',
    rb'"\uffff"',
    rb'"\ufffe"',
    '"\uffff"'.encode(),
    rb'"\udbff\udfff"',
    '"\U0010ffff"'.encode(),
    rb'"\ud800\udc00"',
    '"\U00010000"'.encode(),
    '"\ue000\ud7ff"'.encode(),
    rb'"\\u0041"',
    rb'"\\\\"',
    rb'"a\\"',
    rb'"\u0022"',
    rb'"\u005c"',
    rb'"\u005C\u005c"',
    b"[]",
    b"{}",
    b"[ ]",
    b"{ }",
    b"[\n]",
    b"{\t\r\n }",
    b"[[]]",
    b"[{}]",
    b"[[],[]]",
    b"[1]",
    b"[1,2]",
    b" [ 1 , 2 ] ",
    b"[null,true,false]",
    b'{"a":1}',
    b'{"a":1,"b":2}',
    b' { "a" : 1 , "b" : [ ] } ',
    b'{"":0}',
    b'{"a":{"a":{"a":0}}}',
    b'[{"a":1},{"a":1}]',
    b'{"a":{"a":1},"b":{"a":1}}',
    rb'{"\u0061":1,"b":2}',
    rb'{"a\n":1,"an":2}',
    b'{"a":1,"A":2}',
    '{"é":1,"e\u0301":2}'.encode(),
    b'{"1":1,"01":2,"1.0":3}',
    b"\n\t\r 1 \r\t\n",
    nested(32),
    b'{"a":' * 32 + b"1" + b"}" * 32,
    b'[1,"two",{"three":[4]},null]',
    wide(17, b"z"),
    wide(1000, b"z"),
    b'"' + b"x" * 15 + b'"',
    b'"' + b"x" * 16 + b'"',
    b'"' + b"x" * 17 + b'"',
    b'"' + b"x" * 100_000 + b'"',
    b'"' + "é".encode() * 9 + b'"',
    b'"' + b"x" * 14 + "é".encode() + b'"',
    b"[" + b",".join([b"0"] * 99_999) + b"]",
    b"[" + b"1" * 100 + b"]",
    b'"' + b"\\n" * 40 + b'"',
    b'{"k":"' + b"\\\\" * 33 + b'"}',
]

REFUSED = [
    b"",
    b" ",
    b"\n",
    b"\x00",
    b"n",
    b"nul",
    b"nulll",
    b"Null",
    b"NULL",
    b"True",
    b"TRUE",
    b"tru",
    b"fals",
    b"falsey",
    b"undefined",
    b"None",
    b"NaN",
    b"-NaN",
    b"nan",
    b"Infinity",
    b"-Infinity",
    b"+Infinity",
    b"inf",
    b"-inf",
    b"+1",
    b"-",
    b"--1",
    b"-+1",
    b"+",
    b"00",
    b"01",
    b"-01",
    b"-00",
    b"00.5",
    b".5",
    b"-.5",
    b"5.",
    b"5.e1",
    b"1.e",
    b"1e",
    b"1E",
    b"1e+",
    b"1e-",
    b"1.5e",
    b"1e1.5",
    b"1e1e1",
    b"0x1",
    b"0b1",
    b"0o7",
    b"1_000",
    b"1,000",
    b"1 000",
    b"1a",
    b"1.2.3",
    b"1..2",
    b"1" * 101,
    "１".encode(),
    "٣".encode(),
    "1٣".encode(),
    "-٣".encode(),
    "1.٣".encode(),
    b"'a'",
    b'"',
    b'"a',
    b'a"',
    b'"a""b"',
    b'"a"b',
    b'"\\"',
    b'"\\',
    rb'"\x41"',
    rb'"\a"',
    rb'"\v"',
    rb'"\0"',
    rb'"\'"',
    rb'"\U0041"',
    rb'"\u"',
    rb'"\u0"',
    rb'"\u00"',
    rb'"\u004"',
    rb'"\u004',
    rb'"\u00g0"',
    rb'"\u 041"',
    rb'"\u+041"',
    rb'"\u-041"',
    rb'"\u0x41"',
    rb'"\u00_1"',
    rb'"\ud800"',
    rb'"\ud800x"',
    rb'"\ud800\n"',
    rb'"\ud800\u0041"',
    rb'"\ud800\ud800"',
    rb'"\ud800\ud800\udc00"',
    rb'"\udc00"',
    rb'"\udfff"',
    rb'"\udc00\ud800"',
    rb'"\udbff\ue000"',
    rb'"\ud800\u"',
    rb'"\ud800\udc0"',
    rb'"\ud800\\udc00"',
    rb'{"\ud800":1}',
    b'"\n"',
    b'"\t"',
    b'"\r"',
    b'"\x00"',
    b'"\x1f"',
    b'"a\x01b"',
    b'"' + b"x" * 20 + b'\x02"',
    b"\xef\xbb\xbf1",
    b"\xef\xbb\xbf{}",
    b"\xef\xbb\xbf",
    b"1\xef\xbb\xbf",
    b" \xef\xbb\xbf1",
    b'"\x80"',
    b'"\xbf"',
    b'"\xc0\x80"',
    b'"\xc1\xbf"',
    b'"\xc3"',
    b'"\xc3\x28"',
    b'"\xe2\x82"',
    b'"\xe2\x28\xa1"',
    b'"\xe0\x80\x80"',
    b'"\xe0\x9f\xbf"',
    b'"\xed\xa0\x80"',
    b'"\xed\xbf\xbf"',
    b'"\xf0\x80\x80\x80"',
    b'"\xf0\x8f\xbf\xbf"',
    b'"\xf4\x90\x80\x80"',
    b'"\xf5\x80\x80\x80"',
    b'"\xff"',
    b'"\xfe"',
    b'"\xf0\x9f\x98"',
    b'"\xf8\x88\x80\x80\x80"',
    b"\xff",
    b"\xc3\xa9",
    b'{"\xff":1}',
    b"[\xe9]",
    b"\xfe\xff\x00\x31",
    b"\xff\xfe1\x00",
    b"1\x00",
    b"[",
    b"]",
    b"{",
    b"}",
    b"[[",
    b"]]",
    b"[}",
    b"{]",
    b"[1",
    b"[1,",
    b"[1 2]",
    b"[1;2]",
    b"[,]",
    b"[,1]",
    b"[1,]",
    b"[1,,2]",
    b"[1,2,]",
    b"[1]]",
    b"[1}",
    b"[[1]",
    b"[1:2]",
    b"[\x0c]",
    b"[\x0b]",
    b"[\xa0]",
    b"\x0c1",
    b"\x0b1",
    "\u00a01".encode(),
    "\u20281".encode(),
    "\u30001".encode(),
    "1\u0085".encode(),
    b"{,}",
    b"{1:1}",
    b"{a:1}",
    b"{'a':1}",
    b'{"a"}',
    b'{"a":}',
    b'{"a":1',
    b'{"a":1,',
    b'{"a":1,}',
    b'{"a":1,,"b":2}',
    b'{"a" 1}',
    b'{"a"::1}',
    b'{"a":1 "b":2}',
    b'{"a":1;"b":2}',
    b"{:1}",
    b'{"a":1:2}',
    b'{"a":[}',
    b'{"a":{]}',
    b'{"a",1}',
    b"{null:1}",
    b"{[]:1}",
    b'{"a":1}}',
    b'{"a":1}{',
    b"{} {}",
    b"[] []",
    b"1 2",
    b"1,2",
    b"null null",
    b"// c\n1",
    b"/* c */1",
    b"[1/* c */]",
    b"1 // c",
    b"# c\n1",
    b"[1] #",
    b'{"a":1,"a":1}',
    b'{"a":1,"b":2,"a":3}',
    rb'{"a":1,"\u0061":2}',
    rb'{"\u0061":1,"a":2}',
    rb'{"\n":1,"\u000a":2}',
    rb'{"\ud83d\ude00":1,"' + "😀".encode() + b'":2}',
    b'{"":1,"":2}',
    b'[{"x":{"a":1,"a":1}}]',
    wide(17, b"k3"),
    wide(1000, b"k999"),
    wide(1000, rb"k\u0035"),
    wide(10_000, b"z"),
    nested(33),
    nested(100_000),
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"a":' * 33 + b"1" + b"}" * 33,
    b"[" + b",".join([b"0"] * 100_000) + b"]",
    b'"' + b"x" * (1 << 20) + b'"',
    b" " * (1 << 20) + b"1",
    b"<json/>",
    b"\x1f\x8b\x08\x00",
    b"*",
    b"$",
    b"!",
    b"-foo",
    b"-1x",
    b"e5",
    b"[-]",
    b"[+1]",
    b"[01]",
    b"[1.]",
]

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
