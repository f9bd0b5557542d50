"""Simulates what the waits of a recorded history would have been under other rules: ``backtest --effects``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace

from router.backtest.replay import HistoryReplay
from router.cli.context import print_note
from router.cli.effect_options import run_with_progress
from router.cli.errors import CommandFailed
from router.cli.output.effect_report import HistoryReport, report
from router.cli.output.effects import plain
from router.cli.output.fitting_table import Column
from router.cli.output.tables import console, count, print_table, table, text
from router.decide.snapshot import Limits
from router.history.agent_events import AgentEvents, open_agent_events
from router.history.contact_rows import ContactRows
from router.history.world import HistoryUnusable, stays
from router.model import Agent, Directory
from router.prove.example_instance import directory_of
from router.rules.condition import Unread
from router.rules.rule import RuleSet
from router.simulation.effects import QueueEffect, effects_of
from router.simulation.intervals import Estimate
from router.simulation.recorded_centre import KnownCentre, RecordedCentre
from router.simulation.slot_watch import SlotWatch
from router.simulation.study import Study, StudyResult

ALWAYS = ("in_time", "wait")
"""The figures that are printed even if they are zero."""
METHOD = (
    "The contacts are those of the history, with their arrivals and handle times. A contact that is moved has the same "
    "place among the handle times of the other queue. The days are the observations: the interval shows how much the "
    "effect differs from day to day.",
    "The simulation of rules A is compared with what was observed. What it misses is the error of rebuilding the past.",
)


def check_effect_options(arguments: argparse.Namespace) -> None:
    """Raises ``CommandFailed`` if something is missing that the effects need."""
    if arguments.effects and arguments.records is None:
        line = "connect-router backtest: --effects needs the handle times of contact records: name them with --records"
        raise CommandFailed(line, misconfigured=True)
    if arguments.agents is not None and not arguments.effects:
        raise CommandFailed("connect-router backtest: --agents is for --effects only", misconfigured=True)


def study_of(
    arguments: argparse.Namespace, replay: HistoryReplay, records: ContactRows, watch: SlotWatch, b: RuleSet
) -> Study:
    """Returns what is to be simulated. Raises ``CommandFailed`` if the history does not suffice."""
    a = replay.a.ruleset if replay.a is not None else replay.then.ruleset
    if a is None:
        raise CommandFailed(
            "connect-router backtest: --effects: the journal has no rules of this time: name them with --rules"
        )
    events = _agent_events(arguments)
    hours = dict(replay.world.hours)
    known = KnownCentre(
        directory=_completed(replay.directory, records.directory(()), events.agents.values()),
        hours={hours_id: one for hours_id, one in hours.items() if not isinstance(one, Unread)},
        limits=replay.world.last.limits if replay.world.last is not None else Limits(),
        staffed=events.events,
        unserved=watch.unserved,
    )
    _require_hours((a, b), known)
    try:
        source = RecordedCentre.of(stays(records.events()), known, replay.since, replay.until)
    except ValueError as error:
        raise CommandFailed(f"connect-router backtest: --effects: {error}") from None
    for name in _absent_agents((a, b), source):
        print_note(f'the history does not show agent "{name}", who therefore takes no contact in the simulation')
    seed = 1 if arguments.seed is None else arguments.seed
    return Study(source=source, rules=a.sources, against=b.sources, seed=seed)


def _agent_events(arguments: argparse.Namespace) -> AgentEvents:
    if arguments.agents is None:
        return AgentEvents()
    try:
        return open_agent_events(arguments.agents)
    except (OSError, HistoryUnusable) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandFailed(f"connect-router backtest: {arguments.agents}: {why}", misconfigured=True) from None


def _completed(directory: Directory, recorded: Directory, agents: Iterable[Agent]) -> Directory:
    """Returns the directory with the queues of the records, and with the agents of the events in place of those that
    only rules name."""
    shown = tuple(agents)
    names = {one.name for one in shown} | {str(one.id) for one in shown}
    others = tuple(one for one in directory.agents if one.name not in names and one.id not in names)
    queues = {one.id for one in directory.queues}
    more = tuple(one for one in recorded.queues if one.id not in queues)
    return replace(directory, queues=(*directory.queues, *more), agents=(*others, *shown))


def _require_hours(rules: Sequence[RuleSet], known: KnownCentre) -> None:
    for name in dict.fromkeys(hours.name for one in rules for hours in directory_of(one, ()).hours):
        found = known.directory.opening_hours(name)
        if found is None or found.id not in known.hours:
            line = (
                f'connect-router backtest: --effects: the history has no hours of operation "{name}", which the rules '
                "mention: name also the journal of this time with --journal"
            )
            raise CommandFailed(line, misconfigured=True)


def _absent_agents(rules: Sequence[RuleSet], source: RecordedCentre) -> Iterable[str]:
    """Yields the agents that the rules name, and that neither took a contact nor have events."""
    present = {name for team in source.teams for name in team.agents}
    for name in dict.fromkeys(agent.name for one in rules for agent in directory_of(one, ()).agents):
        found = source.known.directory.agent(name)
        if found is None or found.id not in present:
            yield name


def staffing(study: Study, arguments: argparse.Namespace, watch: SlotWatch) -> str:
    """Returns where the presence of the agents is from, for the head of the report."""
    source = study.source
    assert isinstance(source, RecordedCentre), "a history is simulated"
    parts = []
    if source.known_agents:
        parts.append(f"{count(source.known_agents, 'agent')} by the events in {arguments.agents}")
    if source.inferred_agents:
        by_metrics = " and the recorded metrics" if watch.measured else ""
        parts.append(f"{count(source.inferred_agents, 'agent')} inferred from the contacts they took{by_metrics}")
    return f"presence of agents: {', '.join(parts)}"


def report_effects(study: Study, arguments: argparse.Namespace, history: HistoryReport) -> int:
    """Simulates both sets of rules, prints by how much the simulation of A misses the past, and reports the effects."""
    result = run_with_progress(study, arguments)
    pairs = _compared(study, result)
    if not arguments.json:
        _print_rebuilt(study, pairs)
    errors = {(seen.queue_id, seen.measure.name): abs(b.value - a.value) for seen, a, b in pairs}
    rebuilt = [
        {"queue": names(study, seen), "figure": seen.measure.name, "observed": a.value, "rebuilt": b.value}
        for seen, a, b in pairs
    ]
    members = {**history.members, "rebuilt": rebuilt}
    complete = replace(history, errors=errors, members=members, method=METHOD)
    return report("backtest", study, result, arguments, complete)


def _compared(study: Study, result: StudyResult) -> list[tuple[QueueEffect, Estimate, Estimate]]:
    """Returns every figure of every queue as it was observed, and as the simulation of A rebuilds it."""
    opened, source = study.open(), study.source
    assert isinstance(source, RecordedCentre), "a history is simulated"
    queues = [queue.id for queue in opened.centre.directory.queues]
    rebuilt = {(one.queue_id, one.measure.name): one.a for one in effects_of(result.a, None, queues)}
    found = []
    for one in effects_of(source.observed(opened.centre, opened.looks), None, queues):
        other = rebuilt.get((one.queue_id, one.measure.name))
        if one.a is not None and other is not None:
            found.append((one, one.a, other))
    return found


def _print_rebuilt(study: Study, pairs: Sequence[tuple[QueueEffect, Estimate, Estimate]]) -> None:
    rows = [
        (names(study, seen), seen.measure.title, *(plain(number, seen.measure.kind) for number in _figures(a, b)))
        for seen, a, b in pairs
        if seen.measure.name in ALWAYS or a.value or b.value
    ]
    out = console()
    out.print()
    out.print(text("Rules A simulated, and what was observed", "bold"))
    print_table(table(["queue", Column("figure", least=None), ">observed", ">simulated", ">error"], rows), out)
    out.print()


def _figures(observed: Estimate, simulated: Estimate) -> tuple[float, float, float]:
    return observed.value, simulated.value, abs(simulated.value - observed.value)


def names(study: Study, effect: QueueEffect) -> str:
    source = study.source
    assert isinstance(source, RecordedCentre), "a history is simulated"
    return source.known.directory.queue_name(effect.queue_id) or effect.queue_id
