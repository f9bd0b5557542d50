"""The rule files read again while the service runs: all of them, or none."""

from __future__ import annotations

from pathlib import Path

from router.problems import Problem, Problems
from router.rules.lint import lint
from router.rules.load import load_rules
from router.rules.rule import RuleSet
from router.service import tell
from router.service.app import App


def reload_rules(app: App, path: Path) -> tuple[Problem, ...]:
    """Puts the rules now in ``path`` in force, or answers why not; the old ones go on then. Timers, ledger and clocks
    are not touched; flows that were denied are tried again, for the permissions may be what changed."""
    try:
        ruleset = load_rules(path)
    except Problems as refused:
        return _rejected(refused.problems)
    errors = tuple(one for one in _lint(app, ruleset) if one.severity == "error")
    if errors:
        return _rejected(errors)
    app.names.replace_rules(ruleset)
    app.blocked.forget()
    tell.log.info("rules.loaded", count=len(ruleset.rules), revision=ruleset.revision)
    return ()


def _lint(app: App, ruleset: RuleSet) -> list[Problem]:
    settings = app.settings
    return lint(ruleset, poll_every=settings.poll.every, max_transfers=settings.guard.max_transfers)


def _rejected(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    tell.log.error("rules.rejected", errors=[str(problem) for problem in problems])
    return problems
