"""Sums up the demo: who was late, what moved, what that did to the share in time, which queue no rule looks after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from router.cli.demo.stage import Stage
from router.cli.demo.tally import DemoTally
from router.durations import span
from router.telemetry.glance import Glance, QueueGlance

SHOWN = 4
"""Ways of the moves that are shown; the others are counted."""


@dataclass(slots=True)
class Story:
    """Holds what the router saw in its first complete cycle, and what it sees now."""

    stage: Stage
    start: Glance | None = None
    now: Glance | None = None

    def look(self) -> None:
        """Takes the figures of the last complete cycle."""
        report = self.stage.report
        if report is not None and report.search.complete:
            self.start, self.now = self.start or report.glance, report.glance

    def headline(self) -> str:
        """Returns the shares in time after the first complete cycle and now, in one line."""
        shares = [share for glance in (self.start, self.now) if (share := in_time(glance)) is not None]
        if not shares:
            return "the first look at all contacts is under way"
        return f"in time: {shares[0]}% after the first cycle, {shares[-1]}% now"

    def chapters(self, tally: DemoTally) -> Iterator[tuple[str, str]]:
        """Yields the story as titles and sentences."""
        if self.start is None or self.now is None:
            yield "late", "no look was complete"
        else:
            yield "late", f"after the first cycle {self._who(self.start)}; after the last {self._who(self.now)}"
        yield "moved", self._moves(tally)
        if (before := in_time(self.start)) is not None and (after := in_time(self.now)) is not None:
            yield "in time", f"{before}% of the contacts with a promise after the first cycle, {after}% after the last"
        if self.now is not None:
            alone = [self._name(one) for one in self.now.queues if one.ungoverned]
            alone += [name for name, _ in self.stage.unmet_queues()]
            yield "no rule", f"looks after {', '.join(alone)}" if alone else "is missing: each contact has one"

    def _who(self, glance: Glance) -> str:
        late = sorted((one for one in glance.queues if one.late), key=lambda one: -one.late)
        if not late:
            return "nobody"
        worst = max((one.promise for one in late if one.promise is not None), key=lambda it: it.elapsed - it.target)
        past = span(worst.elapsed - worst.target)
        number, promised = sum(one.late for one in late), sum(one.promised for one in glance.queues)
        queues = ", ".join(f"{self._name(one)} {one.late}" for one in late)
        return f"{number} of {promised} with a promise ({queues}), the latest by {past}"

    def _moves(self, tally: DemoTally) -> str:
        if not tally.routes:
            return "nothing"
        ways = [f"{way} {number}" for way, number in tally.routes.most_common(SHOWN)]
        rest = tally.routes.total() - sum(number for _, number in tally.routes.most_common(SHOWN))
        others = f", others {rest}" if rest else ""
        return f"{tally.routes.total()}, of which agents have answered {tally.answered}: {', '.join(ways)}{others}"

    def _name(self, queue: QueueGlance) -> str:
        return self.stage.app.names.directory.queue_name(queue.queue_id) or queue.queue_id


def in_time(glance: Glance | None) -> int | None:
    """Returns the share of the contacts with a promise whose promise is not broken, in percent, rounded down; ``None``
    if there is none."""
    promised = sum(one.promised for one in glance.queues) if glance is not None else 0
    if glance is None or not promised:
        return None
    return 100 * (promised - sum(one.late for one in glance.queues)) // promised
