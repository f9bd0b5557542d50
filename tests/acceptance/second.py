"""Explores a world of the second implementation with the suite, as ``worlds.explore`` does in the sandbox."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from router.acceptance.lab import PREFIX, Lab, Options
from router.acceptance.suite import Run, run_suite
from router.connect.connection import Connection
from router.model import Channel
from tests.acceptance.bench import AGENT, ALLOWED, EMAIL, LeapClock
from tests.acceptance.standin import INSTANCE
from tests.acceptance.standin_contacts import SecondConnect
from tests.acceptance.worlds import World


def explore_second(world: World) -> tuple[Run, list[str]]:
    """Runs the suite in the world. Returns the run, and a line for each thing left behind and each mistake."""
    clock, run = LeapClock(), Run()
    plain: dict[str, Any] = {
        name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in world.items()
    }
    second = SecondConnect(plain, now=lambda: clock.now().timestamp(), agent=AGENT, email=EMAIL, tags=dict(ALLOWED))
    os.environ["AWS_ENDPOINT_URL_CONNECT"] = second.endpoint.url
    connection = Connection.open(
        instance_id=INSTANCE,
        region="eu-west-2",
        channels=[Channel.TASK, Channel.EMAIL],
        workers=2,
        rates={},
        share=0.8,
        now=clock.now,
        monotonic=clock.monotonic,
        wait=lambda _, seconds: clock.sleep(seconds),
        pause=clock.sleep,
    )
    try:
        options = Options(setup=True, agent=AGENT, email=EMAIL, length="full")
        calls = connection.plain_calls(clock.now)
        lab = Lab(calls=calls, clock=clock, options=options, sleep=clock.sleep, skew=connection.skew)
        run_suite(lab, run, report=lambda _: None)
    finally:
        connection.close()
        second.endpoint.close()
    things = [thing["Name"] for kind in second.things.values() for thing in kind.values()]
    open_ones = [each["name"] for each in second.contacts.all.values() if each["ended"] is None]
    left = [name for name in (*things, *open_ones) if name.startswith(PREFIX)]
    return run, [*left, *run.left, *second.endpoint.problems]
