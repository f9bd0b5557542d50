"""Reports the result of a study in every form that the command line requests, and returns its exit status."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router.cli.context import print_note
from router.cli.errors import DONE, FOUND, UNDECIDED
from router.cli.output.effects import effect_cases, effects_as_json, effects_table
from router.cli.output.junit import write_cases
from router.cli.output.tables import console, count, print_json, print_table, text
from router.model import QueueId
from router.simulation.effects import HarmFinding, effects_of, roles_of, verdict_of
from router.simulation.study import OpenStudy, Study, StudyResult

STATUS = {HarmFinding.NO_HARM: DONE, HarmFinding.HARM: FOUND, HarmFinding.UNDECIDED: UNDECIDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReport:
    """Holds what is reported about a history in addition to the effects.

    ``errors`` are by how much the simulation misses what was observed, by queue and figure. ``members`` are added to
    JSON, ``cases`` to JUnit XML, and ``method`` to the text of the HTML page.
    """

    errors: Mapping[tuple[QueueId, str], float] = field(default_factory=dict)
    members: Mapping[str, object] = field(default_factory=dict)
    cases: Sequence[tuple[str, str, str | None]] = ()
    method: Sequence[str] = ()


NO_HISTORY = HistoryReport()


def report(
    command: str,
    study: Study,
    result: StudyResult,
    arguments: argparse.Namespace,
    history: HistoryReport = NO_HISTORY,
) -> int:
    """Prints the figures and the verdict, and writes the files."""
    opened = study.open()
    directory = opened.centre.directory

    def names(queue_id: QueueId) -> str:
        return directory.queue_name(queue_id) or queue_id

    queues = [queue.id for queue in directory.queues]
    effects = effects_of(result.a, result.b, queues, history.errors, by_day=study.source.by_day)
    roles = roles_of(result.a, result.b)
    verdict = None
    if result.b is not None:
        verdict = verdict_of(effects, harm=arguments.harm, precision=arguments.precision, names=names)
    for line in opened.unresolved():
        print_note(line)
    if arguments.json:
        judged = {"finding": verdict.finding.value, "why": verdict.why} if verdict is not None else None
        figures = effects_as_json(effects, roles, names)
        about = {"replications": result.replications, "seed": study.seed, "verdict": judged, "effects": figures}
        print_json({**history.members, **about})
    else:
        out = console()
        print_table(effects_table(effects, roles, names), out)
        out.print()
        out.print(text(_summary(opened, result)))
        if verdict is not None:
            out.print(text(f"{verdict.finding}: {verdict.why}", "bold"), soft_wrap=True)
    if arguments.html is not None:
        from router.cli.output.effect_page import write_page

        write_page(
            arguments.html,
            effects=effects,
            result=result,
            sample=opened.sample(),
            roles=roles,
            names=names,
            verdict=verdict,
            summary=_summary(opened, result),
            method=history.method,
        )
    if arguments.junit is not None and verdict is not None:
        write_cases(arguments.junit, command, [*history.cases, *effect_cases(effects, verdict, names)])
    return DONE if verdict is None else STATUS[verdict.finding]


def _summary(opened: OpenStudy, result: StudyResult) -> str:
    waits = sum(tally.waits for tallies in result.a.values() for tally in tallies.values())
    left = sum(
        tally.open for side in (result.a, result.b or {}) for tallies in side.values() for tally in tallies.values()
    )
    parts = [count(result.replications, "replication"), f"{waits / result.replications:.0f} waits in each"]
    if left:
        parts.append(f"{left / result.replications:.1f} never answered in the simulated time")
    return ", ".join(parts)
