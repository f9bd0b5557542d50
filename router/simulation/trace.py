"""Records the lengths of the queues over time, and the moves, of one simulated run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from router.model import QueueId
from router.simulation.centre import Seconds


@dataclass(slots=True)
class Trace:
    """Takes a sample every so many seconds. ``moves`` has the instant, the queue left and the queue reached."""

    every: Seconds
    times: list[Seconds] = field(default_factory=list)
    lengths: dict[QueueId, list[int]] = field(default_factory=dict)
    moves: list[tuple[Seconds, QueueId, QueueId]] = field(default_factory=list)

    def sample(self, now: Seconds, waiting: Mapping[QueueId, int]) -> None:
        for queue_id, number in waiting.items():
            self.lengths.setdefault(queue_id, [0] * len(self.times)).append(number)
        self.times.append(now)
        for series in self.lengths.values():
            series.extend([0] * (len(self.times) - len(series)))
