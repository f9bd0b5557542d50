"""Measures what several routers on one ledger take from the account's quotas, in the default configuration.

python tests/chaos/one_budget.py [--routers 1 3] [--seconds 150]

Real processes of the command poll an instance that throttles as AWS documents. None of them is ended. For each number
of routers it prints the calls a minute of the active router and of each standby router, and how many of the active
router's cycles were complete. The exit status is 1 if a standby router has searched, or if the active router's cycles
were less complete than those of a router alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

if __name__ == "__main__":  # as a script; the tests have their own ways
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from router.sandbox import Scenario
from tests.chaos.routers import Fleet, Router, fleet, make_table, until

CONFIG = """
[connect]
instance = "{instance}"
region = "us-east-1"
[execute]
mode = "enforce"
[ledger]
url = "dynamodb:{table}"
"""
"""The default configuration, except for the mode and the table."""
WAITING = 250
SEARCH = "SearchContacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Holds what one router called in a time. ``cycles`` are those that it finished."""

    calls: Counter[str]
    throttles: int
    cycles: int
    complete: int

    @classmethod
    def of(cls, router: Router, *, since: float) -> Usage:
        finished = [told for at, told in router.told("cycle.finished") if at >= since]
        calls: Counter[str] = Counter()
        for told in finished:
            calls.update(told["calls"])
        return cls(
            calls=calls,
            throttles=len([at for at, _ in router.told("api.throttled") if at >= since]),
            cycles=len(finished),
            complete=sum(told["complete"] for told in finished),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Holds the usage of an active router and of the standby routers next to it. ``searches`` were counted by the
    stand-in for Connect."""

    active: Usage
    standby: tuple[Usage, ...]
    searches: int
    seconds: float


def measure(folder: Path, *, routers: int, seconds: float) -> Budget:
    """Runs the routers side by side for a time. Late contacts arrive all the while."""
    with fleet(folder, scenario=Scenario(quotas="aws"), config=CONFIG) as running:
        make_table(running)
        world = running.sandbox.world
        running.contacts += [world.enqueue("TASK", "Billing", waited=timedelta(minutes=40)) for _ in range(WAITING)]
        first = running.start()
        assert until(lambda: first.holding_since is not None and first.told("service.ready"), 60) is not None
        others = [running.start() for _ in range(routers - 1)]
        assert until(lambda: all(one.told("service.ready") for one in others), 120) is not None
        began = min((at for at, _ in first.told("service.ready")))
        before = running.sandbox.count(SEARCH)
        _let_contacts_arrive(running, seconds)
        return Budget(
            active=Usage.of(first, since=began),
            standby=tuple(Usage.of(one, since=began) for one in others),
            searches=running.sandbox.count(SEARCH) - before,
            seconds=seconds,
        )


def _let_contacts_arrive(running: Fleet, seconds: float) -> None:
    over = threading.Event()
    for _ in range(int(seconds / 5)):
        running.arrive(1)
        over.wait(5)


def line_of(budget: Budget) -> str:
    active, per_minute = budget.active, 60 / budget.seconds
    standby = ", ".join(f"{one.calls[SEARCH] * per_minute:.1f}" for one in budget.standby) or "-"
    return (
        f"{1 + len(budget.standby)} routers: {active.complete} of {active.cycles} cycles complete; {SEARCH} a minute: "
        f"active {active.calls[SEARCH] * per_minute:.1f}, standby {standby}, all {budget.searches * per_minute:.1f}; "
        f"slowed down {active.throttles} times"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routers", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--seconds", type=float, default=150)
    args = parser.parse_args()
    budgets = []
    for number in args.routers:
        with tempfile.TemporaryDirectory() as scratch:
            budgets.append(measure(Path(scratch), routers=number, seconds=args.seconds))
        print(line_of(budgets[-1]), flush=True)
    shares = [one.active.complete / max(one.active.cycles, 1) for one in budgets]
    searched = any(usage.calls[SEARCH] for one in budgets for usage in one.standby)
    return 1 if searched or min(shares) < shares[0] else 0


if __name__ == "__main__":
    sys.exit(main())
