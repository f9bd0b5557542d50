"""Serves Connect's REST protocol on the loopback, by botocore's model alone. It shares no code with the sandbox."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session

MODEL = botocore.session.get_session().get_service_model("connect")
NOT_MODELLED = {"AccessDeniedException": 403, "ContactNotFoundException": 410}

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """Refuses a call with an error of the API."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message = code, message

    @property
    def status(self) -> int:
        if self.code in NOT_MODELLED or self.code not in MODEL.shape_names:
            return NOT_MODELLED.get(self.code, 429)
        return int(MODEL.shape_for(self.code).metadata["error"]["httpStatusCode"])


def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    found = []
    for name in MODEL.operation_names:
        http = MODEL.operation_model(name).http
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"].partition("?")[0]))
        found.append((http["method"], re.compile(path), name))
    return found


ROUTES = _routes()


def _parameters(operation: str, path: Mapping[str, str], query: str, body: bytes) -> dict[str, Any]:
    """Returns the request under the names of the model's members. Times stay numbers."""
    shape = MODEL.operation_model(operation).input_shape
    fields, query_fields, found = json.loads(body or b"{}"), parse_qs(query), dict[str, Any]()
    for member, part in shape.members.items() if shape is not None else ():
        name, location = part.serialization.get("name", member), part.serialization.get("location")
        if location == "uri" and name in path:
            found[member] = unquote(path[name])
        elif location == "querystring" and name in query_fields:
            values = query_fields[name]
            found[member] = values if part.type_name == "list" else values[0]
        elif location is None and name in fields:
            found[member] = fields[name]
    return found


def _routed(method: str, path: str) -> tuple[str, dict[str, str]]:
    for wanted, pattern, operation in ROUTES:
        match = pattern.fullmatch(path)
        if wanted == method and match is not None:
            return operation, match.groupdict()
    raise Refused("ResourceNotFoundException", f"no operation {method} {path}")


class Endpoint:
    """Listens on a free port, and gives each call to a function."""

    def __init__(self, answer: Answer, *, now: Callable[[], float], error_body: Callable[[str], bytes]) -> None:
        lock, self.problems = threading.Lock(), list[str]()
        problems = self.problems

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                """Logs nothing."""

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                status, headers, reply = 200, {"x-amzn-RequestId": str(uuid.uuid4())}, b"{}"
                try:
                    operation, path = _routed(self.command, parts.path)
                    with lock:
                        reply = json.dumps(answer(operation, _parameters(operation, path, parts.query, body))).encode()
                except Refused as refused:
                    status, headers["x-amzn-ErrorType"] = refused.status, refused.code
                    reply = error_body(refused.message)
                except Exception as error:  # a mistake of the stand-in, which the test reports
                    problems.append(f"{self.command} {parts.path}: {error!r}")
                    status = 500
                self.send_response_only(status)
                headers |= {"Date": formatdate(now(), usegmt=True), "Content-Length": str(len(reply))}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
