"""Serves the figures of the running service over HTTP: to Prometheus, to a browser and to health checks.

Nothing can be written. Imported only if ``[metrics] listen`` is set.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from router.daemon.prometheus import PrometheusCollector
from router.daemon.router import Router
from router.daemon.status import status_of

CONNECTIONS = 16
"""Connections at a time. One more closes the oldest, whose client may be too slow."""
PATIENCE = 5.0
"""Seconds that a client may let the server wait for a byte."""
FRESH = 1.0
"""Seconds for which one look at the service serves all requests."""
HTML, TEXT, JSON = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json"
ASSETS: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", HTML),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NAME = "connect-router"
"""The server, without the versions that Python would name."""
HEADERS = [
    ("Server", NAME),
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
]
REBINDING = "The Host header must be localhost or an address, because other sites must not read the status.\n"

Answer = tuple[HTTPStatus, str, bytes]


@contextmanager
def exposed(app: Router, *, host: str, port: int) -> Iterator[int]:
    """Serves until the block ends, and yields the port, which differs from ``port`` if that is 0.

    Raises ``OSError`` if it cannot listen on the address.
    """
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(app))
    ProcessCollector(registry=registry)
    server = _Server(host, port, Site(lambda: status_of(app), metrics=make_wsgi_app(registry)))
    thread = threading.Thread(target=server.serve_forever, name="web", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Site:
    """Answers requests: a WSGI application. ``read`` returns the status of the service."""

    def __init__(self, read: Callable[[], dict[str, Any]], *, metrics: WSGIApplication) -> None:
        self._read = read
        self._metrics = metrics
        self._lock = threading.Lock()
        self._status: dict[str, Any] = {}
        self._read_at = -FRESH

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sends_body = environ["REQUEST_METHOD"] == "GET"
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") and environ["PATH_INFO"] == "/metrics":
            body = b"".join(self._metrics({**environ, "REQUEST_METHOD": "GET"}, start_response))
            return [body] if sends_body else []
        status, kind, body = self._answer(environ)
        more = [("Allow", "GET, HEAD")] if status is HTTPStatus.METHOD_NOT_ALLOWED else []
        size = ("Content-Length", str(len(body)))
        start_response(f"{status.value} {status.phrase}", [("Content-Type", kind), size, *more, *HEADERS])
        return [body] if sends_body or more else []

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, TEXT, b"This server only reads.\n"
        if path in HEALTH_CHECKS:
            return self._health(HEALTH_CHECKS[path])
        if path != "/status.json" and path not in ASSETS:
            return HTTPStatus.NOT_FOUND, TEXT, b"The paths are /, /status.json, /metrics, /healthz and /readyz.\n"
        if not _is_local(environ.get("HTTP_HOST", "")):
            return HTTPStatus.FORBIDDEN, TEXT, REBINDING.encode()
        if path in ASSETS:
            name, kind = ASSETS[path]
            return HTTPStatus.OK, kind, _asset(name)
        return HTTPStatus.OK, JSON, json.dumps(self._now()).encode()

    def _health(self, holds: Callable[[Mapping[str, Any]], bool]) -> Answer:
        now = self._now()
        line = f"{now['state']}, {now['mode']}: {now['health']['word']}: {now['health']['reason']}\n"
        return HTTPStatus.OK if holds(now) else HTTPStatus.SERVICE_UNAVAILABLE, TEXT, line.encode()

    def _now(self) -> dict[str, Any]:
        """Returns the status, at most ``FRESH`` seconds old: many requests cost the router as much as one."""
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH:
                self._status, self._read_at = self._read(), time.monotonic()
            return self._status


def _is_healthy(status: Mapping[str, Any]) -> bool:
    return bool(status["healthy"])


def _is_ready(status: Mapping[str, Any]) -> bool:
    """Returns whether the router does its part now: it works or observes, or it is a standby router that can take
    over."""
    return bool(status["healthy"] and (status["state"] == "running" or _stands_by(status)))


def _stands_by(status: Mapping[str, Any]) -> bool:
    return bool(status["mode"] == "standby" and status["state"] != "stopping")


HEALTH_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {"/healthz": _is_healthy, "/readyz": _is_ready}


def _is_local(host: str) -> bool:
    """Returns whether a Host header names this machine by address or as localhost."""
    with suppress(ValueError):
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    return False


@cache
def _asset(name: str) -> bytes:
    return files("router.daemon").joinpath("page", name).read_bytes()


class _RequestHandler(WSGIRequestHandler):
    timeout = PATIENCE
    server_version = NAME
    sys_version = ""

    def log_message(self, format: str, *args: object) -> None:
        """Drops the line, because the service's log has its own form."""


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each connection in a thread of its own."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, site: WSGIApplication) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: list[socket.socket] = []
        self._changes = threading.Lock()
        super().__init__((host, port), _RequestHandler)
        self.set_app(site)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changes:
            if len(self._open) >= CONNECTIONS:
                _interrupt(self._open.pop(0))
            self._open.append(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changes, suppress(ValueError):
            self._open.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a client that went away or was too slow."""


def _interrupt(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
