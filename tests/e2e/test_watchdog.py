"""systemd's watchdog is fed while cycles come to an end, and not by one that hangs."""

import socket
import threading
import time

import pytest

from router.daemon.daemon import Daemon
from router.daemon.systemd import Notifier


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def heard(manager, *, for_s):
    """The first lines of what comes in that time."""
    end, told = time.monotonic() + for_s, []
    while (left := end - time.monotonic()) > 0:
        manager.settimeout(left)
        try:
            told.append(manager.recv(4096).decode().split("\n")[0])
        except TimeoutError:
            break
    return told


def test_a_cycle_that_hangs_feeds_no_watchdog_and_the_next_that_ends_does(centre, manager):
    app = centre.router(**{"poll.every": "1s"})
    centre.disown(app)
    hang, go_on = threading.Event(), threading.Event()
    act = app.cycle.act

    def hanging(**arguments):
        if hang.is_set():
            go_on.wait(30)
        return act(**arguments)

    app.cycle.act = hanging
    daemon = Daemon(app, notifier=Notifier(manager.getsockname()), reload=lambda: None)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        working = heard(manager, for_s=2.5)
        hang.set()
        heard(manager, for_s=6.5)
        hung = heard(manager, for_s=2.5)
        hang.clear()
        go_on.set()
        again = heard(manager, for_s=2.5)
    finally:
        go_on.set()
        daemon.stop()
        thread.join(15)

    assert working.count("WATCHDOG=1") >= 1
    assert any(line.startswith("STATUS=cycle 1: 0 waiting, 0 due, 0 moved") for line in working)
    assert "WATCHDOG=1" not in hung
    assert "WATCHDOG=1" in again
