"""Reads and writes the control socket: one line of JSON each for request and reply, then the connection ends."""

from __future__ import annotations

import json
import os
import pwd
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_UCRED = struct.Struct("3i")
ROOT = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """Identifies the process that connected, as it was then (SO_PEERCRED, unix(7))."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, connection: socket.socket) -> Peer:
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return cls(*_UCRED.unpack(raw))

    @property
    def may_change(self) -> bool:
        """Returns whether the peer may change anything: root and the service's own user may. The socket's mode decides
        who may read."""
        return self.uid in (ROOT, os.geteuid())

    @property
    def name(self) -> str:
        """Returns the user's name, or the number if it has no name here."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


LONGEST_REQUEST = 16 * 1024
"""Bytes, the end of the line included."""


class BadRequest(Exception):
    """Reports that a line is no request; its text is one line for the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    command: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        return json.dumps({"command": self.command, "arguments": dict(self.arguments)}).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Holds the reply to a request. ``errors`` are lines for people; if there are any, nothing has changed."""

    result: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.errors

    def line(self) -> bytes:
        told = {"ok": True, "result": dict(self.result)} if self.ok else {"ok": False, "errors": list(self.errors)}
        return json.dumps(told).encode() + b"\n"


def request_of(line: bytes) -> Request:
    """Reads a request. Raises ``BadRequest``."""
    told = _object(line)
    command, arguments = told.get("command"), told.get("arguments", {})
    if not isinstance(command, str) or not isinstance(arguments, dict):
        raise BadRequest('expected {"command": "…", "arguments": {…}}')
    return Request(command=command, arguments=arguments)


def answer_of(line: bytes) -> Reply:
    """Reads a reply. Raises ``BadRequest`` if another program replied, or the line was cut off."""
    told = _object(line)
    errors, result = told.get("errors", []), told.get("result", {})
    if not isinstance(errors, list) or not isinstance(result, dict) or bool(errors) is (told.get("ok") is True):
        raise BadRequest("not an answer of connect-router")
    return Reply(result=result, errors=tuple(str(one) for one in errors))


def _object(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("expected one line of JSON") from None
    if not isinstance(told, dict):
        raise BadRequest("expected a JSON object")
    return told
