"""Bounds the time and the number of the readings that decisions wait for. A reading that takes longer continues."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Lock, local
from time import monotonic
from typing import Generic, TypeVar

from router import events
from router.connect.answers import Denied, Missing, Rejected, Throttled, Unauthenticated

READ_WITHIN = 2.0
"""Seconds that one look waits for all its readings."""
AT_ONCE = 4
"""Readings of one kind under way at a time. One that hangs ends at the time-out of its call."""
HEAD_START = 1 / 20
"""Part of this time that the other readers wait for the first answer: an operation may be refused for all keys."""
NO_ANSWER_YET = "NoAnswerYet"
"""The code of a reading that has not ended in this time."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailure:
    """Gives the reason why a value is not known.

    ``code`` is Connect's error code, or a sentence; it is empty if nothing failed. ``stops``: Connect did not respond,
    and another call of this look might take as long. ``requested`` is ``False`` if this value was left out, because the
    budget was used up or another call failed. ``answer`` is Connect's answer, ``None`` without one.
    """

    code: str = ""
    stops: bool = False
    requested: bool = True
    answer: object = None

    @classmethod
    def of(cls, answer: object) -> ReadFailure:
        """Returns the failure for an answer of Connect that has no value; it stops unless it concerns one id."""
        default = "AccessDeniedException" if isinstance(answer, Denied) else type(answer).__name__
        stops = not isinstance(answer, Missing | Rejected)
        return cls(code=getattr(answer, "code", default), stops=stops, answer=answer)

    @property
    def pending(self) -> bool:
        """Returns whether the value is still being read, so that nothing may be concluded from its absence."""
        return self.code == NO_ANSWER_YET

    @property
    def suffix(self) -> str:
        """Returns the code in brackets, to end a sentence with; empty if nothing failed."""
        return f" ({self.code})" if self.code else ""


class Background:
    """Runs the readings of decisions. Thread-safe.

    Without a ``pool`` a decision waits for each reading. With one it waits for ``READ_WITHIN``. A reading that takes
    longer continues, and ``late`` is called when it has a value, because the decision can then be made again.
    """

    def __init__(
        self,
        pool: Executor | None = None,
        late: Callable[[], object] = lambda: None,
        *,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self.monotonic = monotonic
        self._pool = pool
        self._late = late
        self._look = local()
        self._workers: Counter[Hashable] = Counter()
        self._under_way: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
        self._lock = Lock()

    @contextmanager
    def look(self) -> Iterator[None]:
        """Bounds the waiting for all readings of the block, taken together. Once AWS has refused the credentials, the
        block reads nothing more."""
        self._look.until = self.monotonic() + READ_WITHIN
        try:
            yield
        finally:
            vars(self._look).clear()

    def under_way(self, kind: Hashable) -> frozenset[Hashable]:
        """Returns the keys of this kind whose reading continues after the look that began it."""
        with self._lock:
            return frozenset(self._under_way[kind])

    def read_all(
        self, kind: Hashable, keys: Iterable[Key], read: Callable[[Key], Value | ReadFailure]
    ) -> dict[Key, Value | ReadFailure]:
        """Reads the keys in this order and returns what each reading has come to, in time.

        Once a failure ``stops``, the reading of the other keys stops too. With a pool up to ``AT_ONCE`` are read at a
        time. A denied or throttled operation then ends all readers, and another failure ends one. Raises what ``read``
        raises, if that is in time.
        """
        refused: ReadFailure | None = getattr(self._look, "refused", None)
        if refused is not None:
            return dict.fromkeys(keys, refused)
        found = self._read_all(kind, keys, read)
        if hasattr(self._look, "until"):
            answers = (one.answer if isinstance(one, ReadFailure) else one for one in found.values())
            refusal = next((one for one in answers if isinstance(one, Unauthenticated)), None)
            self._look.refused = None if refusal is None else replace(ReadFailure.of(refusal), requested=False)
        return found

    def _read_all(
        self, kind: Hashable, keys: Iterable[Key], read: Callable[[Key], Value | ReadFailure]
    ) -> dict[Key, Value | ReadFailure]:
        job = _KeysToRead(keys, read)
        if self._pool is None:
            job.drain()
            return job.leave()
        workers = self._begin(kind, job)
        futures = [self._pool.submit(self._drain, kind, job, first=not number) for number in range(workers)]
        until = getattr(self._look, "until", None)
        done, _ = wait(futures, READ_WITHIN if until is None else max(until - self.monotonic(), 0))
        for future in done:
            future.result()
        return job.leave()

    def _drain(self, kind: Hashable, job: _KeysToRead[Key, Value], *, first: bool) -> None:
        late = False
        try:
            late = job.drain(first=first)
        except Exception:
            if not job.left:
                raise
            events.log_broken()
        finally:
            self._end(kind, job)
            if late:
                self._late()

    def _begin(self, kind: Hashable, job: _KeysToRead[Key, Value]) -> int:
        """Takes places for the workers of a job; returns how many it may have."""
        with self._lock:
            workers = min(AT_ONCE - self._workers[kind], len(job.keys))
            self._workers[kind] += workers
            job.workers = workers
            if workers:
                self._under_way[kind] |= set(job.keys)
            return workers

    def _end(self, kind: Hashable, job: _KeysToRead[Key, Value]) -> None:
        with self._lock:
            self._workers[kind] -= 1
            job.workers -= 1
            if not job.workers:
                self._under_way[kind] -= set(job.keys)


class _KeysToRead(Generic[Key, Value]):
    """Holds the keys that one look reads, and the results. Thread-safe."""

    def __init__(self, keys: Iterable[Key], read: Callable[[Key], Value | ReadFailure]) -> None:
        self.keys = tuple(keys)
        self.workers = 0
        self.left = False
        """Whether the look has stopped waiting."""
        self._read = read
        self._unbegun = deque(self.keys)
        self._found: dict[Key, Value | ReadFailure] = {}
        self._stop = ReadFailure(code=NO_ANSWER_YET)
        self._answered = Event()
        self._lock = Lock()

    def drain(self, *, first: bool = True) -> bool:
        """Reads until no key is left or a failure stops; returns whether a value came after the look had left.

        Only the ``first`` reader begins at once.
        """
        late = False
        if not first:
            self._answered.wait(HEAD_START * READ_WITHIN)
        while (taken := self._take()) is not None:
            try:
                value = self._read(taken[0])
                failed = isinstance(value, ReadFailure)
                with self._lock:
                    self._found[taken[0]] = value
                    late = late or (self.left and not failed)
                    if isinstance(value, ReadFailure) and value.stops:
                        self._stop = replace(value, requested=False)
                        if isinstance(value.answer, Denied | Throttled | Unauthenticated):
                            self._unbegun.clear()
                        break
            finally:
                self._answered.set()
        return late

    def leave(self) -> dict[Key, Value | ReadFailure]:
        """Returns what every key has come to."""
        with self._lock:
            self.left = True
            return {key: self._found.get(key, self._stop) for key in self.keys}

    def _take(self) -> tuple[Key] | None:
        with self._lock:
            return (self._unbegun.popleft(),) if self._unbegun else None
