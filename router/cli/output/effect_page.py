"""Writes the report of a study as one HTML page, which loads nothing and runs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from router.cli.errors import CommandFailed
from router.cli.output.effect_charts import lengths_chart, waits_chart
from router.cli.output.effects import seconds, table_rows
from router.model import QueueId
from router.problems import printable
from router.simulation.effects import EffectVerdict, QueueEffect
from router.simulation.study import SampleRun, StudyResult
from router.simulation.tally import QueueTally, of_queue
from router.simulation.wait_record import SimulatedWait

SHOWN = 50
"""The contacts in the table of differences."""

STYLE = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:64rem;color:#1a1a1a;background:#fff}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.2rem;margin-top:2rem}
.verdict{border-left:.4rem solid #333;padding:.5rem 1rem;background:#f2f2f2}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #ccc;white-space:nowrap}
th{border-bottom:2px solid #333}td.n,th.n{text-align:right}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
.charts svg{width:100%;height:auto}a{color:#1b4f8f}tr:target{background:#fff3c4}
@media print{body{max-width:none;padding:0;font-size:10pt}.scroll{overflow:visible}h2{break-after:avoid}
.charts svg,tr{break-inside:avoid}.charts{grid-template-columns:1fr 1fr}th,td{white-space:normal;padding:.15rem .3rem}}
"""
HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head><body><main>
"""
METHOD = (
    "Each replication simulates both sets of rules with the same contacts: the same arrivals, the same work, the same "
    "patience. Agents take the contact with the highest priority first, then the oldest. The rules are decided by the "
    "router's own code.",
    "A figure is the mean over all replications. The interval contains the true difference in at least 90 of 100 "
    "cases, if the model is right. A difference that is smaller than the error of rebuilding the past is not stated.",
    "The promise of a contact is that of its queue, or else that of rules A, on both sides.",
    "The charts over time and the table of contacts show one replication.",
)


def write_page(
    path: Path,
    *,
    effects: Sequence[QueueEffect],
    result: StudyResult,
    sample: SampleRun,
    roles: Mapping[QueueId, str],
    names: Callable[[QueueId], str],
    verdict: EffectVerdict | None,
    summary: str,
    method: Sequence[str] = (),
) -> None:
    """Writes the page. Raises ``CommandFailed`` if that is not possible."""
    title = "What the change of the rules does to the waits" if verdict is not None else "The waits under these rules"
    parts = [HEAD.format(title=escape(title), style=STYLE), f"<h1>{escape(title)}</h1>"]
    if verdict is not None:
        parts.append(f'<p class="verdict"><strong>{verdict.finding}</strong>: {_text(verdict.why)}</p>')
    parts.append(f"<p>{_text(summary)}. A: before the change. B: after it.</p>")
    parts += ["<h2>Figures</h2>", *_table(table_rows(effects, roles, names))]
    queues = list(dict.fromkeys(one.queue_id for one in effects))
    parts += ['<h2>Waits and queues</h2><div class="charts">', *_charts(queues, result, sample, names), "</div>"]
    if verdict is not None:
        parts += ["<h2>Contacts that differ most</h2>", *_differences(sample, names)]
    parts += ["<h2>Method</h2>", *(f"<p>{escape(one)}</p>" for one in (*METHOD, *method)), "</main></body></html>\n"]
    try:
        path.write_text("\n".join(parts), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(printable(f"connect-router: --html {path}: {error.strerror}"), misconfigured=True) from None


def _text(value: object) -> str:
    return escape(printable(str(value)))


def _table(rows: Iterable[Sequence[object]], ids: Sequence[str] = ()) -> Iterator[str]:
    """Yields a table whose first row is the heading. Cells that begin with a digit or a sign are aligned right."""
    given = list(rows)
    if given[0][-1] == "note" and not any(row[-1] for row in given[1:]):
        given = [row[:-1] for row in given]
    heading, *body = given
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f'<th scope="col">{_text(one)}</th>' for one in heading)
    yield "</tr></thead><tbody>"
    for number, row in enumerate(body):
        at = f' id="{escape(ids[number])}"' if ids else ""
        cells = "".join(
            f"<td{_align(one)}>{_cell(one, ids[number] if ids and not n else None)}</td>" for n, one in enumerate(row)
        )
        yield f"<tr{at}>{cells}</tr>"
    yield "</tbody></table></div>"


def _cell(value: object, link: str | None) -> str:
    return _text(value) if link is None else f'<a href="#{escape(link)}">{_text(value)}</a>'


def _align(value: object) -> str:
    return ' class="n"' if str(value)[:1] in "+-0123456789" and str(value) else ""


def _charts(
    queues: Iterable[QueueId], result: StudyResult, sample: SampleRun, names: Callable[[QueueId], str]
) -> Iterator[str]:
    both = [("A", result.a)] + ([("B", result.b)] if result.b is not None else [])
    for number, queue_id in enumerate(queues):
        sides = [(label, _whole(dict(of_queue(side, queue_id)).values())) for label, side in both]
        yield waits_chart(2 * number, names(queue_id), sides, _promise(sample.waits[0], queue_id))
        traces = [(label, trace) for (label, _), trace in zip(both, sample.traces, strict=False)]
        yield lengths_chart(2 * number + 1, names(queue_id), queue_id, traces)


def _whole(tallies: Iterable[QueueTally]) -> QueueTally:
    whole = QueueTally()
    for one in tallies:
        whole = whole.plus(one)
    return whole


def _promise(waits: Iterable[SimulatedWait], queue_id: QueueId) -> float | None:
    """Returns the most frequent promise to contacts of the queue, in seconds."""
    targets = Counter(one.promise.target for one in waits if one.queue_id == queue_id and one.promise is not None)
    return targets.most_common(1)[0][0].total_seconds() if targets else None


def _differences(sample: SampleRun, names: Callable[[QueueId], str]) -> Iterator[str]:
    after = {(one.arrival.contact.id, one.turn): one for one in sample.waits[1]}
    pairs = [(one, after[key]) for one in sample.waits[0] if (key := (one.arrival.contact.id, one.turn)) in after]
    changed = [pair for pair in pairs if abs(pair[1].waited - pair[0].waited) >= 1 or pair[0].moves != pair[1].moves]
    changed.sort(key=lambda pair: -abs(pair[1].waited - pair[0].waited))
    yield f"<p>{len(changed)} of {len(pairs)} waits differ in one replication. The {SHOWN} largest are shown.</p>"
    rows: list[Sequence[object]] = [("contact", "queue", "wait A", "wait B", "B - A", "moved in A", "moved in B")]
    rows += [
        (
            one.arrival.contact.id,
            names(one.queue_id),
            seconds(one.waited),
            seconds(other.waited),
            f"{'-' if other.waited < one.waited else '+'}{seconds(abs(other.waited - one.waited))}",
            " → ".join(names(queue_id) for _, queue_id in one.moves),
            " → ".join(names(queue_id) for _, queue_id in other.moves),
        )
        for one, other in changed[:SHOWN]
    ]
    yield from _table(rows, [f"contact-{one.arrival.contact.id}-{one.turn}" for one, _ in changed[:SHOWN]])
