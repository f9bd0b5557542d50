"""Python itself ends while a call still hangs: a real process."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.uses("processes")

HANGING = """
import threading
from router.runtime import DaemonThreads
pool = DaemonThreads("work")
pool.submit(threading.Event().wait)
print(pool.join(within=0.1))
"""


def test_a_call_that_hangs_does_not_keep_the_process_from_ending():
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout == "1\n"
