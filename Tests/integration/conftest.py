"""Fixtures of the integration tests: the real binary in a scratch directory, and a headless Chromium.

`TILL_BIN` names the binary (default: .build/release/till, then .build/debug/till). `TILL_URL` uses a server that
already runs instead; tests that kill or restart it are then skipped.
"""

import base64
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30


FIGURES = []


def tell(figures):
    """Prints the figures of a test that passed, also where pytest hides what tests print."""
    print(figures)
    FIGURES.append(figures)


def pytest_terminal_summary(terminalreporter):
    for figures in FIGURES:
        terminalreporter.write_line(figures)


def till_binary():
    """The binary under test, or None."""
    named = os.environ.get("TILL_BIN")
    candidates = [Path(named)] if named else [ROOT / ".build/release/till", ROOT / ".build/debug/till"]
    return next((path for path in candidates if path.is_file()), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=10, what="the condition"):
    """Returns the first true value of `condition()`; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s for {what}; last value {value!r}")
        time.sleep(0.05)


class Reply:
    """Status, headers and body of an answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Till:
    """One till process on a data directory, which outlives the process: start() again continues with it."""

    def __init__(self, directory, binary=None, url=None, arguments=(), environment=None):
        self.directory = Path(directory)
        self.data = self.directory / "data"
        self.binary = binary
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.compatibility = True
        self.process = None
        self._url = url
        self._port = None

    @property
    def url(self):
        return self._url or f"http://127.0.0.1:{self._port}"

    @property
    def is_external(self):
        """True for a server named by TILL_URL, which tests must not stop."""
        return self._url is not None

    def start(self):
        if not self.is_external:
            self._port = self._port or free_port()
            command = [self.binary, "up", "--data", self.data, "--listen", f"127.0.0.1:{self._port}", *self.arguments]
            with open(self.log_path, "ab") as log:
                environment = {**os.environ, **self._reference_paths(), **self.environment}
                self.process = subprocess.Popen(
                    list(map(str, command)), stdout=log, stderr=log, cwd=self.directory, env=environment
                )
        self._wait_ready()
        return self

    def _reference_paths(self):
        """The paths of the reference systems are off unless a till is told otherwise; most tests want them. Variables
        win over a file, so they are set only where no file says anything about these paths."""
        files = [
            self.directory / self.arguments[place + 1]
            for place, word in enumerate(self.arguments)
            if word == "--config"
        ]
        if not self.compatibility or any("compatibility" in file.read_text() for file in files if file.exists()):
            return {}
        return {"TILL_COMPATIBILITY_INVOICES": "on", "TILL_COMPATIBILITY_POS": "on"}

    def stop(self, seconds=20):
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM, seconds)

    def kill9(self):
        return self._end(signal.SIGKILL, 10)

    def post(self, feed, body, content_type="application/json", headers=None):
        """POST /v1/feeds/{feed}. `body`: bytes, text, or anything JSON can say."""
        return self.request("POST", f"/v1/feeds/{feed}", body, {"Content-Type": content_type, **(headers or {})})

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def request(self, method, path, body=None, headers=None, timeout=35):
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            if not any(name.lower() == "content-type" for name in headers or {}):
                headers = {"Content-Type": "application/json", **(headers or {})}
        if isinstance(body, str):
            body = body.encode()
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @property
    def log_path(self):
        return self.directory / "till.log"

    def log_tail(self):
        return self.log_path.read_text(errors="replace")[-4000:] if self.log_path.exists() else "(no output)"

    def _wait_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process and self.process.poll() is not None:
                pytest.fail(f"till ended with {self.process.returncode} before it was ready:\n{self.log_tail()}")
            try:
                reply = self.get("/health/ready")
                if reply.status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        pytest.fail(f"till was not ready after {READY_SECONDS} s:\n{self.log_tail()}")

    def _end(self, number, seconds):
        assert not self.is_external, "a server named by TILL_URL is not ours to stop"
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"till did not end within {seconds} s of signal {number}:\n{self.log_tail()}")


@pytest.fixture
def till(tmp_path):
    """A running till with an empty data directory."""
    url = os.environ.get("TILL_URL")
    binary = till_binary()
    if not url and binary is None:
        pytest.skip("no till binary: build it or set TILL_BIN or TILL_URL")
    server = Till(tmp_path, binary=binary, url=url.rstrip("/") if url else None)
    try:
        yield server.start()
    finally:
        if not server.is_external:
            server.kill9()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One till for the tests of a module that look only at their own answers."""
    from support import new_till, running

    with running(new_till(tmp_path_factory.mktemp("till"))) as till:
        yield till


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty working directory, without settings of the environment."""
    for name in list(os.environ):
        if name.startswith("TILL_") and name not in ("TILL_BIN", "TILL_URL"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Chromium:
    """Headless Chromium with one page, driven over the DevTools protocol."""

    def __init__(self, executable, profile):
        self.executable, self.profile = executable, Path(profile)
        self.errors = []
        self._numbers = itertools.count(1)
        self._socket = self._process = None

    def start(self):
        import websocket

        command = [
            self.executable,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-sync",
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--user-data-dir={self.profile}",
            "about:blank",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        announced = self.profile / "DevToolsActivePort"
        wait_until(lambda: announced.exists() and announced.read_text().count("\n"), 30, "Chromium to start")
        port = announced.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self._socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=30)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def close(self):
        if self._socket:
            self._socket.close()
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def call(self, method, **parameters):
        """One protocol command; events that arrive meanwhile are looked at for errors of the page."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._notice(message)

    def _notice(self, event):
        kind, content = event.get("method"), event.get("params", {})
        if kind == "Runtime.exceptionThrown":
            details = content["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif kind == "Runtime.consoleAPICalled" and content["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in content["args"]))
        elif kind == "Log.entryAdded" and content["entry"]["level"] == "error":
            self.errors.append(f"{content['entry']['text']} {content['entry'].get('url', '')}".strip())

    def size(self, width, height, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def media(self, **features):
        """media(prefers_color_scheme="dark")"""
        values = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=values)

    def open(self, url):
        self.call("Page.navigate", url=url)
        wait_until(lambda: self.js("location.href !== 'about:blank' && document.readyState === 'complete'"), 20, url)

    def js(self, expression):
        """The value of a JavaScript expression (promises are awaited)."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def text(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)})?.textContent ?? null")

    def focus(self, selector):
        assert self.js(
            "(n => { n?.focus(); return n === document.activeElement; })"
            f"(document.querySelector({json.dumps(selector)}))"
        ), selector

    def type(self, text):
        """Types into what has the focus, one key at a time."""
        for letter in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", key=letter, text=letter)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=letter)

    def press(self, key):
        codes = {
            "Enter": (13, "\r"),
            "Tab": (9, None),
            "Escape": (27, None),
            "ArrowDown": (40, None),
            "ArrowUp": (38, None),
            " ": (32, " "),
        }
        code, text = codes[key]
        common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def screenshot(self, path, whole_page=True):
        area = {}
        if whole_page:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            area = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole_page, **area)["data"]
        Path(path).write_bytes(base64.b64decode(data))
        return path


@pytest.fixture
def chromium(tmp_path):
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("no Chromium (apt-get install chromium)")
    pytest.importorskip("websocket", reason="pip install websocket-client")
    browser = Chromium(executable, tmp_path / "chromium")
    try:
        yield browser.start()
    finally:
        browser.close()
