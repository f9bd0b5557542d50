"""systemd's side is a real datagram socket; what arrives is compared byte for byte."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from router.daemon.systemd import Notifier

pytestmark = pytest.mark.uses("sockets")


class Manager:
    """Imitates systemd at its notification socket, from which it reads datagrams in order."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.settimeout(5)
        self.notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})

    def heard(self) -> list[str]:
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@connect-router-test-{uuid4()}"
    manager = Manager(address)
    with manager.socket:
        yield manager


def test_ready_and_its_status_come_in_one_datagram(manager: Manager):
    manager.notifier.ready("watching")

    assert manager.heard() == ["READY=1", "STATUS=watching"]


def test_a_status_may_hold_any_script(manager: Manager):
    manager.notifier.status("12 en attente — 待機中")

    assert manager.heard() == ["STATUS=12 en attente — 待機中"]


def test_a_status_cannot_smuggle_in_another_field(manager: Manager):
    manager.notifier.status("queue\nREADY=1\rSTOPPING=1\0WATCHDOG=1\u2028MAINPID=1")

    assert manager.heard() == [r"STATUS=queue\nREADY=1\rSTOPPING=1\x00WATCHDOG=1\u2028MAINPID=1"]


def test_a_status_that_is_no_text_is_sent_escaped(manager: Manager):
    manager.notifier.status("from a file name \udcff")

    assert manager.heard() == [r"STATUS=from a file name \udcff"]


def test_a_reload_says_when_it_began_on_the_clock_that_systemd_compares_with(manager: Manager):
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    manager.notifier.reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    reloading, began = manager.heard()
    key, _, microseconds = began.partition("=")
    assert (reloading, key) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before <= int(microseconds) <= after


def test_stopping_and_the_watchdog_are_heard_in_the_order_they_were_said(manager: Manager):
    manager.notifier.watchdog()
    manager.notifier.stopping()

    assert manager.heard() == ["WATCHDOG=1"]
    assert manager.heard() == ["STOPPING=1"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}])
def test_outside_systemd_nothing_is_sent(environ: dict[str, str]):
    notifier = Notifier.from_environment(environ)

    notifier.ready("watching")
    notifier.stopping()


@pytest.mark.parametrize(
    "address",
    ["{folder}/nobody-listens", "{folder}", "/" + "long" * 100, "@", "relative", "vsock:2:1234"],
)
def test_a_manager_that_cannot_be_reached_does_not_stop_the_service(address: str, tmp_path: Path):
    notifier = Notifier(address.format(folder=tmp_path))

    notifier.ready("watching")
    notifier.watchdog()


def test_a_manager_that_went_away_does_not_stop_the_service(manager: Manager):
    manager.notifier.watchdog()
    manager.socket.close()

    manager.notifier.watchdog()


def filled(path: Path) -> int:
    """Returns how many messages another sender sent before the manager's queue, or the sender's own, was full."""
    sent = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        filler.connect(str(path))
        with suppress(BlockingIOError):
            while True:
                filler.send(b"WATCHDOG=1")
                sent += 1
    return sent


def test_a_manager_that_does_not_read_holds_up_the_service_for_a_moment_only(tmp_path: Path):
    manager = Manager(str(tmp_path / "notify"))
    with manager.socket:
        while filled(tmp_path / "notify"):
            pass

        manager.notifier.status("nobody reads this")  # pytest's timeout fails the test if it never returns

        manager.socket.setblocking(False)
        queued: list[bytes] = []
        with suppress(BlockingIOError):
            while True:
                queued.append(manager.socket.recv(4096))
        assert set(queued) == {b"WATCHDOG=1"}
