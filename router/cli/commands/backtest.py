"""Shows what changed rules would have done in the past: the command ``backtest``."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from router.cli.effect_options import add_effect_options
from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.parser import add_json
from router.problems import did_you_mean, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from router.backtest.replay import HistoryReplay
    from router.cli.output.backtest import Wanted
    from router.history.contact_rows import ContactRows
    from router.history.world import Event
    from router.rules.rule import RuleSet

DESCRIPTION = """\
Replays a recorded history under two sets of rules, by the service's own decisions, and lists every contact on which
they differ, up to the first difference. It makes no call and changes nothing. Exits 1 if the decisions of the rules
then in force are not reproduced, if no contact could be judged, and with --same also if any decision differs; 2 if
files do not load."""
EXAMPLE = """\
  connect-router backtest --journal journal --from 2026-12-01T00:00:00Z --against new-rules
  connect-router backtest --journal journal --from 28d --against new-rules --show +billing-overflow
"""
LONG_AGO = timedelta(days=28)
REPLICATIONS = 3
"""Only what a history does not show is drawn at random: few runs suffice."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", dest="since", metavar="WHEN", help="from this time: 2026-11-22T10:00:00Z, or 7d (default: 28d)"
    )
    parser.add_argument("--to", dest="until", metavar="WHEN", help="up to this time (default: now)")
    parser.add_argument("--rules", metavar="PATH", type=Path, help="rules A (default: those then in force)")
    parser.add_argument("--against", metavar="PATH", type=Path, required=True, help="rules B: a folder or a file")
    parser.add_argument("--journal", metavar="PATH", type=Path, help="the journal: a folder or a file")
    parser.add_argument(
        "--records", metavar="PATH", type=Path, help="contact records or exports in its place; needs --rules"
    )
    parser.add_argument(
        "--show", metavar="WHAT", action="append", default=[],
        help="contact ids: +RULE would now act, -RULE no longer, ~RULE elsewhere, earlier:RULE, later:RULE",
    )  # fmt: skip
    parser.add_argument("--same", action="store_true", help="exit 1 if any decision differs")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="what differs as JUnit XML, for CI systems")
    parser.add_argument(
        "--effects", action="store_true", help="also simulate what the waits would have been; needs --records"
    )
    parser.add_argument("--agents", metavar="PATH", type=Path, help="agent events, for --effects: a folder or a file")
    add_effect_options(parser, replications=REPLICATIONS)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from router.backtest.replay import HistoryReplay
    from router.cli.context import print_note
    from router.cli.output.backtest import as_json, junit_cases, print_report, shown
    from router.cli.output.junit import write_cases
    from router.cli.output.tables import print_json
    from router.rules.load import load_rules

    wanted = [shown(text) for text in arguments.show]
    since, until = _when(arguments.since, LONG_AGO), _when(arguments.until, timedelta())
    if since >= until:
        raise CommandFailed("connect-router backtest: --from must be before --to", misconfigured=True)
    a = load_rules(arguments.rules) if arguments.rules is not None else None
    b = load_rules(arguments.against)
    if a is not None:
        _require_known(wanted, (a, b))
    replay = HistoryReplay.of(a=a, b=b, since=since, until=until)
    if arguments.effects or arguments.agents is not None:
        return _run_with_effects(replay, arguments, b, wanted)
    if arguments.records is not None and arguments.journal is not None:
        line = "connect-router backtest: --records is in place of --journal, except with --effects"
        raise CommandFailed(line, misconfigured=True)
    if arguments.records is not None:
        source = _replay_records(replay, arguments, _open_records(arguments, a), b)
    else:
        source = _replay_journal(replay, arguments)
    _require_known(wanted, (b, *replay.rulesets_of_a))
    if arguments.json:
        print_json(as_json(replay, source))
    else:
        print_report(replay, source, wanted)
    sys.stdout.flush()
    if arguments.junit is not None:
        write_cases(arguments.junit, "backtest", junit_cases(replay))
    if not replay.findings.judged:
        print_note("connect-router backtest: no contact could be judged; the report shows why")
        return FOUND
    return _status(replay, arguments)


def _status(replay: HistoryReplay, arguments: argparse.Namespace) -> int:
    differs = arguments.same and replay.findings.differences
    return FOUND if replay.then.wrong_count or differs else DONE


def _run_with_effects(
    replay: HistoryReplay, arguments: argparse.Namespace, b: RuleSet, wanted: Sequence[Wanted]
) -> int:
    from router.cli.history_effects import check_effect_options, report_effects, staffing, study_of
    from router.cli.output.backtest import as_json, junit_cases, print_report
    from router.cli.output.effect_report import HistoryReport
    from router.simulation.slot_watch import SlotWatch

    check_effect_options(arguments)
    a, watch = replay.a.ruleset if replay.a is not None else None, SlotWatch()
    records = _open_records(arguments, a)
    if arguments.journal is not None:
        source = _replay_journal(replay, arguments, watch.watch)
    else:
        source = _replay_records(replay, arguments, records, b)
    _require_known(wanted, (b, *replay.rulesets_of_a))
    study = study_of(arguments, replay, records, watch, b)
    agents = staffing(study, arguments, watch)
    if not arguments.json:
        print_report(replay, source, wanted, agents)
        sys.stdout.flush()
    members = {**as_json(replay, source), "agents": agents}
    status = report_effects(study, arguments, HistoryReport(members=members, cases=junit_cases(replay)))
    return status or _status(replay, arguments)


def _require_known(wanted: Iterable[Wanted], rulesets: Iterable[RuleSet]) -> None:
    """Raises ``CommandFailed`` if ``--show`` names a rule that neither side has."""
    known = list(dict.fromkeys(rule.name for rules in rulesets for rule in rules.rules))
    for _, name in wanted:
        if name not in known:
            hint = did_you_mean(name, known) or f": one of {', '.join(known)}"
            line = f"connect-router backtest: --show: no rule is called '{name}'{hint}"
            raise CommandFailed(printable(line), misconfigured=True)


def _when(text: str | None, before: timedelta) -> datetime:
    """Returns a time that the user gave, or the time so long ago."""
    from router.durations import parse_duration
    from router.runtime import open_clock

    now = open_clock().now()
    if text is None:
        return now - before
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - parse_duration(text)
        except (ValueError, OverflowError):
            line = "connect-router backtest: expected 2026-11-22T10:00:00Z, or a duration such as 7d"
            raise CommandFailed(line, misconfigured=True) from None
    if at.tzinfo is None:
        raise CommandFailed(
            "connect-router backtest: a time needs its offset, as in 2026-11-22T10:00:00Z", misconfigured=True
        )
    return at


def _replay_journal(
    replay: HistoryReplay,
    arguments: argparse.Namespace,
    watch: Callable[[Iterable[Event]], Iterable[Event]] = lambda events: events,
) -> str:
    """Replays a journal; returns what it is, for the report. ``watch`` sees every event."""
    from router.history.journal_reader import UnknownVersion, read_journal

    folder = arguments.journal or _folder(arguments)
    try:
        replay.run(watch(read_journal(folder, since=replay.since, until=replay.until)))
    except (OSError, UnknownVersion) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandFailed(f"connect-router backtest: {folder}: {why}", misconfigured=True) from None
    if not replay.findings.contacts:
        raise CommandFailed(
            f"connect-router backtest: {folder} has no contacts of this time", *map(str, replay.findings.gaps)
        )
    return f"journal {folder}"


def _folder(arguments: argparse.Namespace) -> Path:
    """Returns the journal that the configuration names, or that of the installed service."""
    from router.cli.context import settings_of

    settings = settings_of(arguments)
    if settings.journal.folder is not None:
        return settings.journal.folder
    if settings.service_state is not None and (settings.service_state / "journal").exists():
        return settings.service_state / "journal"
    raise CommandFailed(
        "connect-router backtest: no journal is configured: name one with --journal PATH", misconfigured=True
    )


def _open_records(arguments: argparse.Namespace, a: RuleSet | None) -> ContactRows:
    from router.history.contact_rows import open_records
    from router.history.world import HistoryUnusable

    if a is None and arguments.journal is None:
        line = "connect-router backtest: records have no rules: name those of the time with --rules PATH"
        raise CommandFailed(line, misconfigured=True)
    try:
        return open_records(arguments.records)
    except (OSError, HistoryUnusable) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandFailed(f"connect-router backtest: {arguments.records}: {why}", misconfigured=True) from None


def _replay_records(replay: HistoryReplay, arguments: argparse.Namespace, records: ContactRows, b: RuleSet) -> str:
    """Replays contact records or exports; returns what they are, for the report."""
    from router.prove.example_instance import directory_of

    rulesets = [b] if replay.a is None else [replay.a.ruleset, b]
    replay.use_names(records.directory([directory_of(rules, rules.examples) for rules in rulesets]))
    replay.run(records.events())
    rows = ", ".join(f"{number} {why}" for why, number in sorted(records.rejected.items()))
    unused = f"; rows that cannot be used: {rows}" if rows else ""
    return f"{records.fidelity.value} from {arguments.records}{unused}"
