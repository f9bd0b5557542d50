"""Checks that a router takes the clock of the sandbox that announces it, and of nothing else."""

import re
from contextlib import contextmanager

import pytest

from router.runtime import SANDBOX_CLOCK
from router.sandbox import Sandbox, Scenario
from router.sandbox.serve import greeting

SCENARIO = """
start = 2030-12-24T16:50:00+01:00
speed = 60
[[queue]]
name = "Billing"
[[queue]]
name = "Billing Overflow"
[[queue]]
name = "General"
[[flow]]
name = "Overflow to queue"
type = "QUEUE_TRANSFER"
[[agent]]
username = "a"
queues = ["Billing Overflow"]
[[backlog]]
queue = "Billing"
waited = "5h"
"""


@contextmanager
def announced(**changes):
    """Runs the sandbox, and yields it with the variables that it prints for a shell."""
    with Sandbox(Scenario.parse("fast.toml", SCENARIO.encode())) as sandbox:
        printed = dict(re.findall(r"^export (\w+)=(.*)$", greeting(sandbox), flags=re.MULTILINE))
        yield sandbox, {**printed, **changes}


def test_a_router_with_the_variables_of_the_sandbox_moves_by_the_clock_of_the_sandbox(bench):
    with announced() as (sandbox, variables):
        done = bench.run("run", "--once", "--set", "execute.mode=enforce", "--set", "log.format=json", **variables)
        moved = sandbox.world.transfers

    assert done.returncode == 0, done.stdout + done.stderr
    assert [one.from_queue for one in moved] == ["Billing"]
    assert '"contact.transferred"' in done.stdout
    assert "clock.skew" not in done.stdout


@pytest.mark.parametrize("command", [("plan", "--json"), ("check", "--live"), ("run", "--once")])
def test_a_router_with_the_clock_of_a_sandbox_calls_nothing_but_a_sandbox(bench, command):
    with announced(AWS_ENDPOINT_URL_CONNECT="https://127.0.0.1:1") as (_, variables):
        done = bench.run(*command, **variables)

    assert done.returncode in (2, 78)
    assert f"{SANDBOX_CLOCK} is set, but calls go to https://127.0.0.1:1, which is no sandbox" in done.stderr


def test_a_clock_that_another_sandbox_announced_stops_every_move(bench):
    with announced() as (_, old), announced(CONNECT_ROUTER_SANDBOX_CLOCK="") as (sandbox, variables):
        stale = old[SANDBOX_CLOCK].replace("/2030-", "/2031-")
        done = bench.run("run", "--once", "--set", "execute.mode=enforce", **{**variables, SANDBOX_CLOCK: stale})
        moved = sandbox.world.transfers

    assert not moved
    assert "clock.skew" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "2026-12-01T09:00:00Z",
        "2026-12-01/2026-12-01/60",
        "a/b/c",
        "2026-12-01T09:00:00Z/9999-12-31T23:59:59Z/1e300",
    ],
)
@pytest.mark.parametrize("command", [("plan",), ("history", "--since", "2h"), ("run", "--once")])
def test_a_text_that_is_no_clock_is_refused_by_the_name_of_the_variable(bench, text, command):
    done = bench.run(*command, **{SANDBOX_CLOCK: text})

    assert done.returncode in (2, 78)
    assert f"environment:{SANDBOX_CLOCK}: no clock that" in done.stderr
    assert "Traceback" not in done.stderr
