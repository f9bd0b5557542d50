"""Checks that a reader of the log that stops reading stops neither moves nor ``status`` nor the end."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.e2e.test_daemon import until

MANY = 60


def pipe():
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    return reading, writing


def journal():
    """Returns a stream socket, as systemd gives to a service whose output belongs to the journal."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return ours.detach(), theirs.detach()


@pytest.mark.parametrize("output", [pipe, journal])
def test_a_log_that_nobody_reads_stops_nothing(bench, output):
    for _ in range(MANY):
        bench.enqueue()
    reading, writing = output()
    try:
        service = subprocess.Popen(
            [sys.executable, "-m", "router", "run", "--enforce"],
            cwd=bench.folder,
            env=bench.environment,
            stdout=writing,
            stderr=subprocess.DEVNULL,
        )
        bench.started.append(service)
        until(lambda: len(bench.sandbox.world.transfers) == MANY, within=60)
        status = json.loads(bench.run_process("status", "--json").stdout)
        assert status["healthy"]
        began = time.monotonic()
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0
        assert time.monotonic() - began < 12
    finally:
        os.close(reading)
        os.close(writing)
