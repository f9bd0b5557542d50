"""Starts stand-ins for DynamoDB that speak its protocol over HTTP: moto's server, and dynalite if Node.js has it."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto.core import responses
from moto.core.serialize import AttributePicker
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "build" / "dynalite" / "node_modules" / ".bin" / "dynalite"
"""``make dynalite`` installs it there."""
KEYS: dict[str, Any] = {
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "secret",
    "region_name": "us-east-1",
}
STARTS_WITHIN_S = 20

# moto looks for each member of each value under seven names, converts each text before it compares it, and lists its
# own methods at each request. These shortcuts return the same.
_moto: Any = (AttributePicker, DynamoType, responses)
_pick, _cast, _names = _moto[0].__call__, _moto[1].cast_value.fget, _moto[2].method_names_from_class


def _picked(picker: Any, context: Any) -> Any:
    parent = getattr(context.shape, "parent", None)
    if parent is not None and parent.name == "AttributeValue":
        return context.obj.get(context.key)
    return _pick(picker, context)


_moto[0].__call__ = _picked
_moto[1].cast_value = property(lambda one: one.value if one.type == "S" else _cast(one))
_moto[2].method_names_from_class = cache(_names)


@contextmanager
def moto() -> Iterator[str]:
    """Yields the address of moto's server, in a thread of this process."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # one line for each request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def dynalite_command() -> str | None:
    """Returns the path of dynalite, or ``None``: it is an npm package, and a machine may have no Node.js."""
    found = str(INSTALLED) if INSTALLED.exists() else shutil.which("dynalite")
    return found if found is not None and shutil.which("node") is not None else None


@contextmanager
def dynalite() -> Iterator[str]:
    """Yields the address of a dynalite in a process of its own."""
    command = dynalite_command()
    assert command is not None, "ask dynalite_command first"
    port = _free_port()
    process = subprocess.Popen(
        [command, "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0", "--deleteTableMs", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@cache
def client_of(endpoint: str) -> Any:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    return boto3.Session(**KEYS).client("dynamodb", endpoint_url=endpoint, config=config)


def environment(endpoint: str) -> dict[str, str]:
    """Returns the environment of a process that is to use it."""
    return {**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end:
        assert process.poll() is None, f"dynalite ended with {process.returncode}"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise AssertionError("dynalite does not listen")
