"""Runs a proxy for HTTP that loses a request or its response on order, or responds itself."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

Told = Callable[[str, bytes], None]


class LosingProxy:
    """``lose_answers`` and ``lose_requests`` are counted down, for the operation that ``X-Amz-Target`` names; a lost
    one breaks the connection, and can be sent again later. ``before`` is called with the operation and the body of each
    request that is passed on. ``answers`` has a status and a body for operations that do not get any further."""

    def __init__(self, target: str) -> None:
        self.lose_answers: dict[str, int] = {}
        self.lose_requests: dict[str, int] = {}
        self.before: Told = lambda operation, body: None
        self.answers: dict[str, tuple[int, bytes]] = {}
        self._lost: tuple[bytes, dict[str, str]] = (b"", {})
        self._lock = threading.Lock()
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        # How often it looks whether it is to end: the default of half a second is what each test would wait.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def send_again(self) -> tuple[int, bytes]:
        """Delivers the request that was lost last, and returns the status and body of its answer."""
        status, _, answer = self._forward(*self._lost)
        return status, answer

    def _takes(self, what: dict[str, int], operation: str) -> bool:
        with self._lock:
            if what.get(operation, 0) <= 0:
                return False
            what[operation] -= 1
            return True

    def _forward(self, body: bytes, headers: dict[str, str]) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(*self._target, timeout=10)
        try:
            connection.request("POST", "/", body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if proxy._takes(proxy.lose_requests, operation):
                    proxy._lost = body, dict(self.headers.items())
                    return self._break()
                proxy.before(operation, body)
                if operation in proxy.answers:
                    return self._answer(*proxy.answers[operation], [])
                status, headers, answer = proxy._forward(body, dict(self.headers.items()))
                if proxy._takes(proxy.lose_answers, operation):
                    return self._break()
                return self._answer(status, answer, headers)

            def _answer(self, status: int, answer: bytes, headers: list[tuple[str, str]]) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                self.wfile.flush()

            def _break(self) -> None:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.close()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
