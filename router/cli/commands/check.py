"""Proves configuration and rules before anything runs on them: the command ``check``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.cli.errors import DONE, FOUND
from router.cli.parser import add_json

if TYPE_CHECKING:
    from router.inspect.live_check import LiveFindings
    from router.problems import Place, Problem
    from router.prove.coverage import Coverage
    from router.prove.examples import ExampleResult
    from router.prove.promises.verdict import PromiseVerdict
    from router.rules.rule import RuleSet
    from router.settings import Settings


DESCRIPTION = """\
Loads configuration and rules, proves what can be proved about them, runs the examples, and prints each rule's ladder as
times. Makes no call to AWS, except with --live. Exits 1 if it finds errors (with --strict: or warnings), 2 if the
files do not load."""
EXAMPLE = """\
  connect-router check --strict
  connect-router check --live --config /etc/connect-router/config.toml
  connect-router check --prove
  connect-router check --strict --coverage --min-coverage 100 --junit rules.xml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--live",
        action="store_true",
        help="also resolve every name in the instance, list the queues that no rule matches, and print which reading"
        " permissions are missing (reading calls only)",
    )
    parser.add_argument(
        "--prove",
        action="store_true",
        help="also prove each [[promise]] for every contact, or print a contact that breaks it (extra: prove)",
    )
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="also print which rules, steps, destinations and sides of conditions no example exercises",
    )
    parser.add_argument(
        "--min-coverage", metavar="N", type=_percent, help="exit 1 if the examples exercise less than N percent"
    )
    parser.add_argument("--junit", metavar="FILE", type=Path, help="findings and examples as JUnit XML, for CI systems")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from router.cli.context import proofs, settings_and_rules, warn_of_service_links
    from router.cli.live_checks import read_instance, surroundings
    from router.cli.output.promises import problems as broken_promises
    from router.cli.solver import prove
    from router.rules.load import unread_files

    settings, ruleset = settings_and_rules(arguments)
    warn_of_service_links()
    problems = [*proofs(settings, ruleset), *unread_files(settings.rules.path)]
    covering = arguments.coverage or arguments.min_coverage is not None
    examples, coverage = _examples(settings, ruleset, covering=covering)
    live = read_instance(settings, ruleset) if arguments.live else None
    verdicts = prove(settings, ruleset, quiet=arguments.quiet) if arguments.prove else None
    failed = _failed(examples)
    found = surroundings(settings) if arguments.live else ()
    promises = list(broken_promises(verdicts or ()))
    if live is not None:  # it reports a foreign ARN as an error
        problems = [one for one in problems if replace(one, severity="error") not in live.problems]
    problems = sorted([*problems, *(live.problems if live else ()), *found, *failed, *promises])
    if arguments.json:
        _print_json(ruleset, problems, examples, live, coverage, verdicts)
    else:
        _print(ruleset, problems, examples, live, coverage if arguments.coverage else None, verdicts)
    counted = problems if arguments.strict else [one for one in problems if one.severity == "error"]
    short = _short(coverage, arguments.min_coverage)
    if short is not None:
        print(f"connect-router check: {short}", file=sys.stderr)
    if arguments.junit is not None:
        from router.cli.output.junit import write_junit

        missing = live.denied if live is not None else {}
        others = [one for one in counted if one not in failed and one not in promises]
        write_junit(arguments.junit, others, examples, short, missing, verdicts or (), strict=arguments.strict)
    denied = live is not None and live.denied
    return FOUND if counted or short is not None or denied else DONE


def _percent(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 100:
        raise argparse.ArgumentTypeError("expected a percentage, 0 to 100")
    return share


def _short(coverage: Coverage | None, least: float | None) -> str | None:
    """Returns how far coverage is below ``least``, in words; ``None`` if it is not."""
    if coverage is None or least is None or coverage.percent >= least:
        return None
    return f"the examples exercise {_share(coverage)} of the rules, below {least:g} %"


def _share(coverage: Coverage) -> str:
    """Returns the coverage in percent, rounded down. Therefore only full coverage is 100."""
    return f"{int(coverage.percent * 10) / 10:g} %"


def _examples(
    settings: Settings, ruleset: RuleSet, *, covering: bool
) -> tuple[tuple[ExampleResult, ...], Coverage | None]:
    from router.decide.snapshot import Limits
    from router.prove.examples import prove_examples
    from router.runtime import open_clock

    limits, now = Limits.of(settings.guard), open_clock().now()
    return prove_examples(ruleset, ruleset.examples, now=now, limits=limits, covering=covering)


def _failed(examples: tuple[ExampleResult, ...]) -> list[Problem]:
    return [one.place.problem(f'example "{one.name}": {one.message}') for one in examples if not one.passed]


def _print(
    ruleset: RuleSet,
    problems: list[Problem],
    examples: tuple[ExampleResult, ...],
    live: LiveFindings | None,
    coverage: Coverage | None,
    verdicts: tuple[PromiseVerdict, ...] | None,
) -> None:
    from router.cli.output import promises
    from router.cli.output.ladders import print_ladders
    from router.cli.output.tables import console, count, print_lines, text

    out = console()
    print_ladders(ruleset.rules, out)
    if live is not None and live.unmatched:
        out.print(text(f"no rule matches: {', '.join(live.unmatched)}"))
        out.print()
    if coverage is not None:
        print_lines((text(f"{one.place}: {one.text}{one.place.note}") for one in coverage.missing), out)
        out.print(text(f"coverage {_share(coverage)}: {coverage.total - len(coverage.missing)} of {coverage.total}"))
        out.print()
    for line in promises.lines(verdicts or ()):
        out.print(text(line), soft_wrap=True)
    sys.stdout.flush()
    passed = sum(one.passed for one in examples)
    missing = _missing(live)
    print_lines(map(text, (*map(_line, problems), *missing)), console(stderr=True))
    sys.stderr.flush()
    errors = sum(problem.severity == "error" for problem in problems)
    summary = [
        count(len(ruleset.rules), "rule"),
        f"{passed} of {count(len(examples), 'example')} passed",
        *([promises.summary(verdicts)] if verdicts is not None else ()),
        count(errors + len(missing), "error"),
        count(len(problems) - errors, "warning"),
    ]
    out.print(text(", ".join(summary), "bold red" if errors or missing else "bold"))


def _missing(live: LiveFindings | None) -> list[str]:
    """Returns a line for each permission that the rules need and the credentials lack."""
    from router.problems import printable

    denied = live.denied if live is not None else {}
    return [
        printable(f"connect-router: IAM denies connect:{operation}, which these rules need ({message})")
        for operation, message in denied.items()
    ]


def _line(problem: Problem) -> str:
    """Returns the finding's line. Only a warning has its severity in the text."""
    return str(problem if problem.severity == "error" else replace(problem, message=f"warning: {problem.message}"))


def _print_json(
    ruleset: RuleSet,
    problems: list[Problem],
    examples: tuple[ExampleResult, ...],
    live: LiveFindings | None,
    coverage: Coverage | None,
    verdicts: tuple[PromiseVerdict, ...] | None,
) -> None:
    from router.cli.output.ladders import ladder_json
    from router.cli.output.promises import as_json
    from router.cli.output.tables import print_json

    value: dict[str, Any] = {
        "revision": ruleset.revision,
        "rules": [ladder_json(rule) for rule in ruleset.rules],
        "problems": [{"severity": one.severity, **_placed(one), "message": one.message} for one in problems],
        "examples": [
            {"name": one.name, "file": one.place.file, "line": one.place.line, "passed": one.passed} for one in examples
        ],
    }
    if verdicts is not None:
        value["promises"] = as_json(verdicts)
    if live is not None:
        value["unmatched_queues"] = list(live.unmatched)
        value["denied_actions"] = [f"connect:{operation}" for operation in live.denied]
    if coverage is not None:
        value["coverage"] = {
            "percent": round(coverage.percent, 2),
            "total": coverage.total,
            "missing": [{**_placed(one.place), "message": one.text} for one in coverage.missing],
        }
    print_json(value)


def _placed(at: Problem | Place) -> dict[str, Any]:
    return {"file": at.file, "line": at.line, "column": at.column}
