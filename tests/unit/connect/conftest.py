"""Runs a real HTTP server that sends what a test gave it, byte for byte, including answers that Connect never gives."""

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from router.connect.connection import Connection
from router.connect.quotas import Rate
from router.model import Channel

FAST = Rate(10_000, 10_000)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    cut: bool = False


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Canned:
    """Sends ``script`` in order, then ``otherwise`` for ever; ``requests`` are those that arrived.

    ``meanwhile`` is called before each answer.
    """

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.otherwise = Answer(500)
        self.requests: list[Request] = []
        self.meanwhile: Callable[[], object] = lambda: None
        canned = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                body = json.loads(raw) if raw.startswith(b"{") else {}
                canned.requests.append(Request(self.command, self.path, dict(self.headers), body))
                canned.meanwhile()
                answer = canned.script.popleft() if canned.script else canned.otherwise
                if answer.reset:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response_only(answer.status)
                for name, value in {"x-amzn-RequestId": "request-1", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) + (50 if answer.cut else 0)))
                self.end_headers()
                self.wfile.write(answer.body)
                self.wfile.flush()
                if answer.cut:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def says(self, *answers: object) -> None:
        """Adds to the script: an ``Answer``, or a value that is sent as JSON with 200."""
        self.script.extend(one if isinstance(one, Answer) else Answer(body=encoded(one)) for one in answers)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


class FakeTime:
    """Holds monotonic time that passes only when somebody waits, and a wall clock next to it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000 + self.seconds, UTC)

    def wait(self, _: object, seconds: float | None) -> None:
        assert seconds is not None, "waiting for ever, alone"
        self.waits.append(seconds)
        self.seconds += seconds

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


@pytest.fixture
def answer():
    return Answer


@pytest.fixture
def time():
    return FakeTime()


@pytest.fixture
def credentials(monkeypatch, tmp_path):
    """Sets credentials and a region in the environment, and hides the machine's files."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CONNECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def canned(credentials, monkeypatch):
    server = Canned()
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", server.endpoint)
    yield server
    server.close()


OPERATIONS = [
    "SearchContacts",
    "TransferContact",
    "DescribeContact",
    "UpdateContactRoutingData",
    "GetCurrentMetricData",
    "GetCurrentUserData",
    "ListAssociatedContacts",
    "ListQueues",
    "SearchQueues",
    "ListContactFlows",
    "ListUsers",
    "ListAgentStatuses",
    "ListHoursOfOperations",
    "DescribeInstance",
]


@pytest.fixture
def opened(canned, time):
    """Opens connections with a real client against the canned server; time is fake, so that a back-off takes none."""
    connections = []

    def open_connection(rates: dict[str, Rate] | None = None) -> Connection:
        connection = Connection.open(
            instance_id="11111111-2222-3333-4444-555555555555",
            region=None,
            channels=[Channel.TASK, Channel.EMAIL],
            workers=2,
            rates={**dict.fromkeys(OPERATIONS, FAST), **(rates or {})},
            share=1.0,
            now=time.now,
            monotonic=time.monotonic,
            wait=time.wait,
            pause=time.pause,
        )
        connections.append(connection)
        return connection

    yield open_connection
    for connection in connections:
        connection.close()


@pytest.fixture
def connection(opened):
    return opened()
