"""Checks a signal that arrives while the main thread holds the very lock that stopping takes."""

import signal
import subprocess
import sys
import threading

import pytest

from router.daemon.signals import acting_on

pytestmark = pytest.mark.uses("threads", "processes")

IN_THE_MIDST = """
import os, signal, threading
from router.daemon.signals import acting_on

lock, stopped = threading.Lock(), threading.Event()

def stop():
    with lock:
        stopped.set()

with acting_on({signal.SIGTERM: stop}):
    with lock:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(100_000):
            pass
        assert not stopped.is_set()
    assert stopped.wait(10)
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_in_the_midst_of_what_stopping_needs_is_acted_on_as_soon_as_it_can_be():
    done = subprocess.run([sys.executable, "-c", IN_THE_MIDST], capture_output=True, text=True, timeout=30, check=False)

    assert done.stderr == ""
    assert done.returncode == -signal.SIGTERM, "afterwards the signal does what it did before"


def test_elsewhere_than_in_the_main_thread_no_handler_is_set():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with acting_on({signal.SIGTERM: lambda: None}):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
