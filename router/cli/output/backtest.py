"""Prints the result of a backtest: how sure it is, what differs by rule, and the contacts behind each figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from router.backtest.difference import DecisionDifference, DifferenceKind
from router.cli.errors import CommandFailed
from router.cli.output.tables import console, count, instant, print_table, seconds, table, text
from router.durations import span

if TYPE_CHECKING:
    from router.backtest.replay import HistoryReplay

SIGNS = {
    "+": DifferenceKind.NOW,
    "-": DifferenceKind.NO_LONGER,
    "~": DifferenceKind.ELSEWHERE,
    "earlier:": DifferenceKind.EARLIER,
    "later:": DifferenceKind.LATER,
}
TITLES = {
    DifferenceKind.NOW: "now",
    DifferenceKind.NO_LONGER: "no longer",
    DifferenceKind.ELSEWHERE: "elsewhere",
    DifferenceKind.EARLIER: "earlier",
    DifferenceKind.LATER: "later",
}
Wanted = tuple[DifferenceKind, str]


def shown(what: str) -> Wanted:
    """Returns what ``--show`` names. Raises ``CommandFailed``."""
    for sign, kind in SIGNS.items():
        if what.startswith(sign) and len(what) > len(sign):
            return kind, what.removeprefix(sign)
    line = f"connect-router backtest: --show {what}: expected +RULE, -RULE, ~RULE, earlier:RULE or later:RULE"
    raise CommandFailed(line, misconfigured=True)


def print_report(replay: HistoryReplay, source: str, wanted: Sequence[Wanted], *more: str) -> None:
    """Prints the report for people; ``wanted`` are the figures that are opened, ``more`` lines of its head."""
    out, found = console(), replay.findings
    for line in (*_head(replay, source), *more):
        out.print(text(line), soft_wrap=True)
    out.print()
    rows = [(title, act, rule, number, _typical(of)) for (title, act, rule), number, of in _by_rule(found.differences)]
    if rows:
        print_table(table(["", "act", "rule", ">contacts", ">typically"], rows), out)
        out.print()
    for reason, number in found.limits.items():
        out.print(text(f"{reason} would have held {count(number, 'contact')}"))
    for kind, rule in wanted:
        chosen = [one for one in found.differences if (one.kind, one.rule) == (kind, rule)]
        out.print(text(f"{TITLES[kind]}, rule {rule}: {count(len(chosen), 'contact')}"))
        if chosen:
            columns = ["contact", "at", "act", "before", "after", ">by"]
            print_table(table(columns, [_row(one, replay) for one in chosen]), out)
        out.print()
    summary = f"{len(found.differences)} of {count(found.judged, 'contact')} differ"
    out.print(text(summary, "bold"))


def _head(replay: HistoryReplay, source: str) -> Iterator[str]:
    found, then = replay.findings, replay.then
    yield f"{source}, {instant(found.first_at)} to {instant(found.last_at)}, {count(found.contacts, 'contact')}"
    a = f"revision {replay.a.ruleset.revision}" if replay.a is not None else "the rules then in force"
    if replay.a is None and then.revisions:
        a += f", {', '.join(then.revisions)}"
    yield f"A: {a}; B: revision {replay.b.ruleset.revision}"
    if then.revisions:
        compared = then.decisions - then.unknown
        yield f"A repeated on the journal: {then.wrong_count} of {count(compared, 'decision')} differ from those taken"
        yield from then.wrong
    for why, number in sorted(found.unjudged.items()):
        yield f"not judged: {count(number, 'contact')}, because {why}"
    for gap in found.gaps:
        yield f"gap: {gap}"
    if found.gap_count > len(found.gaps):
        yield f"gap: {found.gap_count - len(found.gaps)} more"


def _by_rule(
    differences: Sequence[DecisionDifference],
) -> Iterator[tuple[tuple[str, str, str], int, list[DecisionDifference]]]:
    """Yields the figures of the report: kind, act and rule, how many contacts, and which."""
    groups: dict[tuple[str, str, str], list[DecisionDifference]] = {}
    order = list(DifferenceKind)
    for one in sorted(differences, key=lambda one: (one.rule, order.index(one.kind), one.act)):
        groups.setdefault((TITLES[one.kind], one.act, one.rule), []).append(one)
    for key, of in groups.items():
        yield key, len(of), of


def _typical(differences: Sequence[DecisionDifference]) -> str:
    times = [one.by for one in differences if one.by is not None]
    if times:
        return f"{'at least ' if any(one.at_least for one in differences) else ''}{span(_middle(times))}"
    reasons = Counter(one.held for one in differences if one.held is not None)
    return ", ".join(f"{reason} {number}" for reason, number in reasons.most_common())


def _middle(times: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=round(median(one.total_seconds() for one in times)))


def _row(one: DecisionDifference, replay: HistoryReplay) -> tuple[object, ...]:
    by = "" if one.by is None else f"{'at least ' if one.at_least else ''}{span(one.by)}"
    place = [_named(to, replay) for to in (one.before, one.after)]
    return one.contact_id, instant(one.at), one.act, place[0] or one.held, place[1], by


def _named(to: str | None, replay: HistoryReplay) -> str | None:
    if to is None:
        return None
    queue = replay.directory.queue(to)
    return queue.name if queue is not None else to


def as_json(replay: HistoryReplay, source: str) -> dict[str, Any]:
    """Returns the report for programs: every difference with its contact."""
    found, then = replay.findings, replay.then
    return {
        "source": source,
        "from": instant(found.first_at),
        "to": instant(found.last_at),
        "contacts": found.contacts,
        "evaluations": found.evaluations,
        "a": replay.a.ruleset.revision if replay.a is not None else list(then.revisions),
        "b": replay.b.ruleset.revision,
        "repeated": {
            "decisions": then.decisions - then.unknown,
            "different": then.wrong_count,
            "not_judged": then.unknown,
            "examples": then.wrong,
        },
        "not_judged": dict(found.unjudged),
        "gaps": [str(gap) for gap in found.gaps],
        "limits": dict(found.limits),
        "differences": [
            {
                "contact_id": one.contact_id,
                "kind": one.kind.value,
                "act": one.act,
                "rule": one.rule,
                "at": instant(one.at),
                "before": _named(one.before, replay),
                "after": _named(one.after, replay),
                "by_s": seconds(one.by),
                "at_least": one.at_least,
                "held": one.held,
            }
            for one in found.differences
        ],
    }


def junit_cases(replay: HistoryReplay) -> list[tuple[str, str, str | None]]:
    """Returns a test case for the repeated decisions and for each figure: its class, its name, and why it failed."""
    then = replay.then
    wrong = f"{then.wrong_count} of {then.decisions} decisions are not reproduced" if then.wrong_count else None
    cases: list[tuple[str, str, str | None]] = [("backtest", "the rules then in force decide the same", wrong)]
    for (title, act, rule), number, of in _by_rule(replay.findings.differences):
        ids = ", ".join(one.contact_id for one in of[:20])
        cases.append((f"backtest.{rule}", f"{title}: {act}", f"{count(number, 'contact')}: {ids}"))
    return cases
