"""Reads the live figures of queues and agents: with one call for many, and again for each look."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

from router import events
from router.connect.answers import Failure, Unknown
from router.lookup.background import NO_ANSWER_YET, Background, ReadFailure
from router.model import Channel, QueueId, QueueMetrics
from router.news import NewsFilter
from router.ports import Gauge

LATE_COUNTS_FOR = 5.0
"""Seconds for which an answer counts that no look waited for. Metrics may lag 30 seconds behind the router's moves."""

LATE = ReadFailure(code=NO_ANSWER_YET)

Id = TypeVar("Id", bound=Hashable)
Row = TypeVar("Row")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Figures(Generic[Id, Row, Value]):
    """Holds the rows of an answer, the queues or agents that they are about, and those that could not be read."""

    rows: dict[Row, Value] = field(default_factory=dict)
    known: frozenset[Id] = frozenset()
    failed: frozenset[Id] = frozenset()

    def add(self, ids: frozenset[Id], answer: Mapping[Row, Value] | Failure) -> Figures[Id, Row, Value]:
        """Returns these figures and what Connect returned about ``ids``."""
        if not isinstance(answer, Mapping):
            return Figures(self.rows, self.known, self.failed | ids)
        return Figures({**self.rows, **answer}, self.known | ids, self.failed - ids)


class LiveFigures(Generic[Id, Row, Value]):
    """Reads figures with the call ``ask``. Thread-safe.

    An answer that arrives too late for its look is kept for the next one.
    """

    def __init__(self, background: Background, ask: Callable[[frozenset[Id]], Mapping[Row, Value] | Failure]) -> None:
        self._background = background
        self._ask = ask
        self._answers: dict[frozenset[Id], tuple[Mapping[Row, Value] | Failure, float]] = {}
        self._lock = Lock()

    def read(self, ids: frozenset[Id]) -> Figures[Id, Row, Value]:
        """Returns the figures that are there in time. No second call is made while one is under way."""
        found = self._late_answers(ids)
        under_way: frozenset[object] = frozenset().union(*self._background.under_way(id(self)))  # type: ignore[arg-type]
        asked = ids - found.known - found.failed - under_way
        if not asked:
            return found
        answers: Mapping[frozenset[Id], Any] = self._background.read_all(id(self), [asked], self._read)
        answer: Mapping[Row, Value] | Failure | ReadFailure = answers[asked]
        if isinstance(answer, ReadFailure):
            return found if answer.pending else Figures(found.rows, found.known, found.failed | asked)
        with self._lock:
            self._answers.pop(asked, None)  # it was in time: the next look reads again
        return found.add(asked, answer)

    def _read(self, ids: frozenset[Id]) -> Mapping[Row, Value] | Failure | ReadFailure:
        answer = self._ask(ids)
        with self._lock:
            self._answers[ids] = answer, self._background.monotonic()
        return answer

    def _late_answers(self, ids: frozenset[Id]) -> Figures[Id, Row, Value]:
        oldest = self._background.monotonic() - LATE_COUNTS_FOR
        found: Figures[Id, Row, Value] = Figures()
        with self._lock:
            self._answers = {of: answer for of, answer in self._answers.items() if answer[1] >= oldest}
            for of, (answer, _) in self._answers.items():
                if of & ids:
                    found = found.add(of, answer)
        return found


@dataclass(frozen=True, kw_only=True)
class TimelyGauge:
    """Reads the metrics for a search that does not wait long for them: without them it searches all queues. ``record``
    gets every answer."""

    gauge: Gauge
    background: Background
    record: Callable[[Mapping[tuple[QueueId, Channel], QueueMetrics]], object] | None = None
    _news: NewsFilter[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_news", NewsFilter(self.background.monotonic))

    def queue_metrics(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure:
        """Returns the metrics, or a failure if they are not there in time. No second call is made while one hangs."""
        key, answers = tuple(queue_ids), dict[Any, Any]()
        if not self.background.under_way(id(self)):
            answers |= self.background.read_all(id(self), [key], lambda ids: self.gauge.queue_metrics(ids, channels))
        answer: Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure | ReadFailure = answers.get(key, LATE)
        if not isinstance(answer, ReadFailure):
            self._news.forget("late")
            if self.record is not None and isinstance(answer, Mapping):
                self.record(answer)
            return answer
        if self._news.is_news("late"):
            events.log_metrics_late()
        return Unknown(code=answer.code, message="")
