"""Proves promises for a command, with a status line, if the solver is installed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from router.cli.errors import CommandFailed
from router.cli.progress import status_line

if TYPE_CHECKING:
    from router.prove.promises.verdict import PromiseVerdict
    from router.rules.promise import StatedPromise
    from router.rules.rule import RuleSet
    from router.settings import Settings


def require_solver(option: str) -> None:
    """Raises ``CommandFailed`` with the remedy if the optional package of the solver is missing."""
    try:
        import z3  # noqa: F401
    except ModuleNotFoundError:
        line = f"connect-router: {option} needs the package z3-solver: pip install 'connect-router[prove]'"
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
