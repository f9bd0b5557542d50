"""``check``: proves configuration and rules before anything runs on them."""

from __future__ import annotations

import argparse
import gc
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from router.cli.failures import DONE, FOUND, CommandFailed
from router.cli.parser import add_json

if TYPE_CHECKING:
    from router.decide.examples import ExampleResult
    from router.problems import Problem
    from router.rules.rule import RuleSet
    from router.service.live_check import LiveFindings
    from router.settings import Settings

DESCRIPTION = """\
Loads configuration and rules, proves what can be proved about them, runs the examples, and prints each rule's ladder as
times. Makes no call to AWS, save with --live. Exits 1 if it finds errors (with --strict: or warnings), 2 if the files
do not load."""
EXAMPLE = """\
  connect-router check --strict
  connect-router check --live --config /etc/connect-router/config.toml
"""
NOT_OFFERED = ("coverage", "min_coverage", "junit")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--live",
        action="store_true",
        help="also resolve every name in the instance, and list the queues that no rule matches (reading calls only)",
    )
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument("--coverage", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--min-coverage", help=argparse.SUPPRESS)
    parser.add_argument("--junit", help=argparse.SUPPRESS)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from router.cli.loading import proofs, settings_of
    from router.rules.load import load_rules

    for option in NOT_OFFERED:
        if getattr(arguments, option):
            name = option.replace("_", "-")
            raise CommandFailed(f"connect-router check: --{name} is not offered in this version", misconfigured=True)
    # All that is built here is kept to the end: looking through it for garbage costs a quarter of the time.
    gc.disable()
    settings = settings_of(arguments)
    ruleset = load_rules(settings.rules.path)
    problems = proofs(settings, ruleset)
    examples = _examples(settings, ruleset)
    live = _live(settings, ruleset) if arguments.live else None
    problems = sorted([*problems, *(live.problems if live else ()), *_failed(examples)])
    if arguments.json:
        _print_json(ruleset, problems, examples, live)
    else:
        _print(ruleset, problems, examples, live)
    counted = problems if arguments.strict else [one for one in problems if one.severity == "error"]
    return FOUND if counted else DONE


def _examples(settings: Settings, ruleset: RuleSet) -> tuple[ExampleResult, ...]:
    from router.decide.examples import run_examples
    from router.service.limits import limits_of

    return run_examples(ruleset, ruleset.examples, now=datetime.now(UTC), limits=limits_of(settings))


def _live(settings: Settings, ruleset: RuleSet) -> LiveFindings:
    from router.cli.opening import in_one_line
    from router.cli.unreachable import unreachable
    from router.service.app import open_connection
    from router.service.clock import SystemClock
    from router.service.live_check import LiveFindings, check_live

    with in_one_line():
        connection = open_connection(settings, SystemClock())
    try:
        findings = check_live(connection, ruleset)
    finally:
        connection.close()
    if not isinstance(findings, LiveFindings):
        raise unreachable(findings, settings, connection.endpoint)
    return findings


def _failed(examples: tuple[ExampleResult, ...]) -> list[Problem]:
    from router.problems import Problem

    return [
        Problem(one.place.file, one.place.line, one.place.column, f'example "{one.name}": {one.message}')
        for one in examples
        if not one.passed
    ]


def _print(
    ruleset: RuleSet, problems: list[Problem], examples: tuple[ExampleResult, ...], live: LiveFindings | None
) -> None:
    from router.cli.ladder import print_ladders
    from router.cli.shown import console, count, text

    out = console()
    print_ladders(ruleset.rules, out)
    if live is not None and live.unmatched:
        out.print(text(f"no rule matches: {', '.join(live.unmatched)}"))
        out.print()
    sys.stdout.flush()
    for problem in problems:
        print(_line(problem), file=sys.stderr)
    sys.stderr.flush()
    passed = sum(one.passed for one in examples)
    errors = sum(problem.severity == "error" for problem in problems)
    told = [
        count(len(ruleset.rules), "rule"),
        f"{passed} of {count(len(examples), 'example')} passed",
        count(errors, "error"),
        count(len(problems) - errors, "warning"),
    ]
    out.print(text(", ".join(told), "bold red" if errors else "bold"))


def _line(problem: Problem) -> str:
    """An error as everywhere; a warning says that it is one."""
    return str(problem if problem.severity == "error" else replace(problem, message=f"warning: {problem.message}"))


def _print_json(
    ruleset: RuleSet, problems: list[Problem], examples: tuple[ExampleResult, ...], live: LiveFindings | None
) -> None:
    from router.cli.ladder import ladder_json
    from router.cli.shown import print_json

    value: dict[str, Any] = {
        "revision": ruleset.revision,
        "rules": [ladder_json(rule) for rule in ruleset.rules],
        "problems": [
            {
                "severity": one.severity,
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "message": one.message,
            }
            for one in problems
        ],
        "examples": [
            {"name": one.name, "file": one.place.file, "line": one.place.line, "passed": one.passed}
            for one in examples
        ],
    }
    if live is not None:
        value["unmatched_queues"] = list(live.unmatched)
    print_json(value)
