"""Serves HTTP/1.1 on the loopback address."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from router.sandbox.wire.answer import WireAnswer

LOOPBACK = "127.0.0.1"
LONGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """Holds the response, which is sent after ``delay_s``, or a failure ``instead``.

    - ``hang`` sends nothing until the caller gives up, or ``delay_s`` is over.
    - ``reset`` resets the connection.
    - ``cut`` closes the connection after half of the body.
    """

    answer: WireAnswer
    request_id: str
    date: datetime
    delay_s: float = 0.0
    instead: Literal["hang", "reset", "cut"] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Serve = Callable[[HttpRequest], HttpReply]


class Server(ThreadingHTTPServer):
    """Listens as soon as it is constructed, and responds after ``start``.

    ``close`` ends every connection and waits for the threads."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, serve: Serve, port: int = 0) -> None:
        """Binds the port; 0 is any free one. Raises ``OSError`` if the port is not free."""
        self.serve = serve
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((LOOPBACK, port), _HttpHandler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        with self._open_lock:
            for connection in self._open:
                _quietly(connection.shutdown, socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a caller that disconnects early."""


class _HttpHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "connect-router-sandbox"
    sys_version = ""
    # Headers and body are sent at once, in one segment. Otherwise each call on a kept connection costs 40 ms, because
    # Nagle's algorithm waits for the delayed acknowledgement of the headers.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.serve(HttpRequest(method=self.command, path=path, query=query, headers=headers, body=body))
        if reply.delay_s or reply.instead == "hang":
            gone = self._wait(reply.delay_s)
            if gone or reply.instead == "hang":
                self.close_connection = True
                return
        if reply.instead == "reset":
            self._reset()
            return
        self._write(reply)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self.send_error(411)
        elif not length.isdecimal():
            self.send_error(400)
        elif int(length) > LONGEST_BODY:
            self.send_error(413)
        else:
            return self.rfile.read(int(length))
        self.close_connection = True
        return None

    def _write(self, reply: HttpReply) -> None:
        answer = reply.answer
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(reply.date, usegmt=True))
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("x-amzn-RequestId", reply.request_id)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            whole = reply.instead != "cut"
            self.wfile.write(answer.body if whole else answer.body[: len(answer.body) // 2])
        self.wfile.flush()
        self.close_connection = self.close_connection or reply.instead == "cut"

    def _wait(self, seconds: float) -> bool:
        """Waits for ``seconds``. Returns ``True`` as soon as the caller disconnects or the server closes."""
        left = seconds
        while left > 0 and not self.server.closing.is_set():
            step = min(left, 0.05)
            if select.select([self.connection], [], [], step)[0]:
                return not self.connection.recv(1, socket.MSG_PEEK)
            left -= step
        return self.server.closing.is_set()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        # The server would first send a FIN. Closing the descriptor at once sends the RST; this needs both files over it
        # closed first.
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing, because the sandbox has its own record of calls."""


def _quietly(act: Callable[..., Any], *args: Any) -> None:
    try:
        act(*args)
    except OSError:
        return
