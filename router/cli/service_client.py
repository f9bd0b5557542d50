"""Sends commands to the running service, over its control socket."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from router.cli.context import print_note, settings_of
from router.cli.errors import CommandFailed
from router.daemon.control.protocol import BadRequest, Reply, Request, answer_of
from router.problems import Problems, printable
from router.settings import Settings
from router.settings.load import usual_config
from router.settings.paths import usual_sockets

LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. A contact of the waiting list has some hundred of them."""


def control_socket(arguments: argparse.Namespace) -> Path:
    """Returns the socket on which a service answers, or else the one on which it would listen.

    A config.toml with mistakes must not prevent commands to the running service. If it has any, the socket is searched
    in the usual places. Raises ``Problems`` if it is in none."""
    try:
        settings = settings_of(arguments)
    except Problems:
        config = Path(arguments.config) if arguments.config is not None else usual_config()
        found = next(filter(_is_served, usual_sockets(config, os.environ)), None)
        if found is None:
            raise
        return found
    return served_socket(settings) or settings.control_socket


def served_socket(settings: Settings) -> Path | None:
    """Returns the socket of the configuration on which a service answers; ``None`` if none does."""
    return next(filter(_is_served, settings.sockets), None)


def _is_served(path: Path) -> bool:
    """Returns whether a process listens there, even if it is busy or this user may not use it."""
    if not os.path.lexists(path):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
        service.settimeout(1.0)
        try:
            service.connect(str(path))
        except (BlockingIOError, TimeoutError, PermissionError):
            return True
        except OSError:
            return False
    return True


def announce_service(path: Path, *, quiet: bool) -> None:
    """Prints which service is about to be changed to standard error, unless ``quiet``."""
    if quiet:
        return
    status = call_service(path, "status")
    print_note(f"instance {status['instance']}, mode {status['mode']}, config {status['config']}")


def send_command(
    path: Path, command: str, arguments: Mapping[str, Any] | None = None, *, within: float = 10.0
) -> Reply:
    """Sends a command, and returns the reply. Raises ``CommandFailed`` if none arrives ``within`` seconds."""
    try:
        return answer_of(_exchange(path, Request(command=command, arguments=arguments or {}).line(), within))
    except OSError as error:
        raise CommandFailed(printable(f"connect-router: {_why(error, path, within)}")) from error
    except BadRequest as bad:
        raise CommandFailed(printable(f"connect-router: {path}: {bad}")) from bad


def call_service(path: Path, command: str, arguments: Mapping[str, Any] | None = None, *, within: float = 10.0) -> Any:
    """Sends a command, and returns its result. Raises ``CommandFailed`` if the service refuses it."""
    answer = send_command(path, command, arguments, within=within)
    if not answer.ok:
        raise CommandFailed(*(printable(line) for line in answer.errors))
    return answer.result


def print_under_way(result: Mapping[str, Any]) -> None:
    """Prints the calls that began before a change and that it does not stop."""
    for call in result.get("under_way", ()):
        line = f"still under way: {call['operation']} of contact {call['contact_id']}; it began before this change"
        print(printable(f"{line}, and may still take effect"))


def _exchange(path: Path, request: bytes, within: float) -> bytes:
    end = time.monotonic() + within
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
        service.settimeout(within)
        _connect(service, path, end)
        service.sendall(request)
        received = bytearray()
        while not received.endswith(b"\n") and len(received) <= LONGEST_ANSWER:
            service.settimeout(max(end - time.monotonic(), 0.001))
            data = service.recv(65536)
            if not data:
                break
            received += data
    if not received:
        raise ConnectionResetError(errno.ECONNRESET, "it closed the connection without a response")
    return bytes(received)


def _connect(service: socket.socket, path: Path, end: float) -> None:
    """Connects to the socket. The kernel refuses at once (EAGAIN) if too many clients wait; then it tries again."""
    while True:
        try:
            return service.connect(str(path))
        except BlockingIOError:
            if time.monotonic() >= end:
                raise TimeoutError from None
            time.sleep(0.02)


def _why(error: OSError, path: Path, within: float) -> str:
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        start = "start one (systemctl start connect-router, or connect-router run)"
        return f"no service answers on {path}; {start}, or name its configuration with --config"
    if isinstance(error, PermissionError):
        return f"{path}: you may not use this service; be root, or in the socket's group"
    if isinstance(error, TimeoutError):
        return f"{path}: the service has not responded within {within:g} s; read its log, or look at its stack"
    return f"{path}: {error.strerror or error}"
