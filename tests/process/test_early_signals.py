"""Checks that a signal in the first moments of the service neither kills it nor is lost."""

import signal
import time

import pytest

from tests.e2e.bench import end, until_event

BEGUN = (
    "import sys, router.daemon.signals; from router.cli import main;"
    "print('begun', flush=True); sys.exit(main(sys.argv[1:]))"
)
AFTER_S = [0.05, 0.3, 0.6]


def begun(bench, *arguments):
    """Starts the service, and returns when its ``main`` begins. What the interpreter needs before that is not ours."""
    process = bench.start(*arguments, program=("-c", BEGUN))
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("after_s", AFTER_S)
def test_an_early_sighup_is_a_reload(bench, after_s):
    process = begun(bench, "run")
    time.sleep(after_s)
    process.send_signal(signal.SIGHUP)

    until_event(process, "service.ready")
    until_event(process, "rules.loaded")
    rest, _ = end(process)

    assert process.returncode == 0
    assert rest[-1]["event"] == "service.stopped"


@pytest.mark.parametrize("after_s", AFTER_S)
def test_an_early_sigterm_ends_the_service_in_order(bench, after_s):
    process = begun(bench, "run")
    time.sleep(after_s)
    process.send_signal(signal.SIGTERM)

    _, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_an_early_sigterm_ends_a_pass_that_is_not_complete(bench):
    process = begun(bench, "run", "--once", "--observe")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)

    out, err = process.communicate(timeout=30)

    assert process.returncode == 1 or "service.stopped" in out, err
    assert "Traceback" not in err


def test_a_pass_ends_with_its_terminal(bench):
    process = begun(bench, "run", "--once", "--observe")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)

    assert process.returncode in (-signal.SIGHUP, 0), "0: the pass was faster"


def test_an_early_sigterm_ends_the_sandbox_in_order(bench):
    process = begun(bench, "sandbox", "--port", "0")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)

    _, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    assert "Traceback" not in err
