"""Proves promises for a command, with a status line, if the solver is installed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from router.cli.errors import CommandFailed
from router.cli.progress import status_line
from router.runtime import install_command

if TYPE_CHECKING:
    from router.decide.snapshot import Limits
    from router.prove.promises.difference import Difference
    from router.prove.promises.verdict import PromiseVerdict
    from router.rules.promise import StatedPromise
    from router.rules.rule import RuleSet
    from router.settings import Settings


def require_solver(option: str) -> None:
    """Raises ``CommandFailed`` with the remedy if the optional package of the solver is missing."""
    try:
        import z3  # noqa: F401
    except ModuleNotFoundError:
        line = f"connect-router: {option} needs the package z3-solver: {install_command('z3-solver')}"
        raise CommandFailed(line, misconfigured=True) from None


def prove(settings: Settings, ruleset: RuleSet, *, quiet: bool) -> tuple[PromiseVerdict, ...]:
    """Returns the verdict on each promise of the rules. Raises ``CommandFailed`` without a solver."""
    require_solver("--prove")
    from router.decide.snapshot import Limits
    from router.prove.promises.prove import prove_promises

    total, status = len(ruleset.promises), ["proving promises"]

    def tick(number: int, promise: StatedPromise) -> None:
        status[0] = f"proving promise {number} of {total}: {promise.name}"

    with status_line(lambda: status[0], quiet=quiet):
        limits, now = Limits.of(settings.guard), datetime.now(UTC).replace(microsecond=0)
        return tuple(prove_promises(ruleset, limits=limits, now=now, tick=tick))


def print_differences(
    rulesets: Mapping[str, RuleSet], limits: Limits, *, prove: bool, as_json: bool, quiet: bool
) -> bool:
    """Prints how two rule sets differ, given by name, and returns whether they do. Without ``prove`` these are their
    rules, else the contacts on which they act differently. Raises ``CommandFailed`` without a solver."""
    from router.cli.output.tables import print_json
    from router.problems import printable
    from router.prove.rule_changes import changes_of

    (first, second), sets = rulesets, tuple(rulesets.values())
    changes, reason = list(changes_of(*sets)), ""
    found: list[Difference] = []
    if prove:
        found, reason = _differences(rulesets, limits, quiet=quiet)
    if as_json:
        print_json(
            {"rules": changes, "contacts": [str(one) for one in found] if prove else None, "unknown": reason or None}
        )
        return bool(found or reason) if prove else bool(changes)
    for line in changes:
        print(printable(line))
    for one in found:
        print(printable(str(one)))
    if len(found) == MOST_CLASSES:
        print(f"these are the first {MOST_CLASSES} classes of contacts; there may be more")
    if not (found or changes or reason):
        print(f"{first} and {second} have the same rules")
    if prove and not found:
        print(printable(f"not proved the same: {reason}" if reason else SAME))
    return bool(found or reason) if prove else bool(changes)


MOST_CLASSES = 20
SAME = "proved the same: both do the same to every contact on which no rule has acted, at every time"


def _differences(rulesets: Mapping[str, RuleSet], limits: Limits, *, quiet: bool) -> tuple[list[Difference], str]:
    require_solver("--prove")
    from router.prove.promises.prove import compare
    from router.prove.promises.verdict import Unsure

    found: list[Difference] = []
    with status_line(lambda: f"comparing: {len(found)} found", quiet=quiet):
        try:
            compared = compare(rulesets, limits=limits, now=datetime.now(UTC).replace(microsecond=0))
            for one in islice(compared, MOST_CLASSES):
                found.append(one)
        except Unsure as unsure:
            return found, str(unsure)
    return found, ""
