"""Checks that systemd's watchdog is fed while cycles end, and not during a cycle that hangs."""

import socket
import threading
import time
from types import SimpleNamespace

import pytest

from router.daemon.daemon import Daemon
from router.daemon.systemd import Notifier
from tests.e2e.test_daemon import until

FED = "WATCHDOG=1"


@pytest.fixture
def manager(tmp_path):
    """Opens the socket of a service manager; ``lines`` are the first lines of its messages, as they arrive."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0.05)
        opened = SimpleNamespace(lines=[], address=listening.getsockname())
        ended = threading.Event()

        def listen():
            while not ended.is_set():
                try:
                    opened.lines.append(listening.recv(4096).decode().split("\n")[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield opened
        ended.set()
        thread.join(10)


def test_a_cycle_that_hangs_feeds_no_watchdog_and_the_next_that_ends_does(centre, manager):
    ahead = [0.0]
    centre.clock.monotonic = lambda: time.monotonic() + ahead[0]
    app = centre.router(**{"poll.every": "1s"})
    centre.disown(app)
    hang, hangs, go_on = threading.Event(), threading.Event(), threading.Event()
    act = app.cycle.act

    def hanging(**arguments):
        if hang.is_set():
            hangs.set()
            go_on.wait(30)
        return act(**arguments)

    app.cycle.act = hanging
    daemon = Daemon(app, notifier=Notifier(manager.address), reload=lambda: None)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        until(lambda: FED in manager.lines)
        until(lambda: any(line.startswith("STATUS=cycle 1: 0 waiting, 0 due, 0 moved") for line in manager.lines))
        hang.set()
        assert hangs.wait(15)
        ahead[0] = 4.5  # more than four polls, in which no cycle has ended
        time.sleep(0.2)
        manager.lines.clear()
        time.sleep(2.2)  # the daemon has looked twice
        assert FED not in manager.lines
        hang.clear()
        go_on.set()
        until(lambda: FED in manager.lines)
    finally:
        go_on.set()
        daemon.stop()
        thread.join(15)
