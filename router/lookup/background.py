"""Bounds the time and the number of the readings that decisions wait for. A reading that takes longer continues."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Condition, get_ident, local
from time import monotonic
from typing import Any, Generic, TypeVar

from router import events
from router.connect.answers import Denied, Missing, Rejected, Throttled, Unauthenticated

READ_WITHIN = 2.0
"""Seconds that one look waits for all its readings."""
HANGS = 0.5
"""Seconds after which a reading by id counts as hanging: a look waits no longer for it, and another one takes its
place. DescribeContact takes a third of that."""
LOOK_EVERY = 0.05
"""Seconds between two looks at readings that have begun."""
AT_ONCE = 8
"""Readings of one kind under way at a time, apart from those that hang."""
MOST = 5 * AT_ONCE
"""The same with those that hang, which end at the time-out of their call."""
HEAD_START = 1 / 20
"""Part of ``READ_WITHIN`` that the other readings wait for the first answer: an operation may be refused for all keys.
"""
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


@dataclass(slots=True, eq=False)
class _KeysToRead(Generic[Key, Value]):
    """Holds the keys that one look reads, and the results. ``Background`` guards it.

    ``behind`` are keys that were not answered the last time; ``probed``: one of them is answered now. ``left``: the
    look has stopped waiting.
    """

    kind: Hashable
    unbegun: dict[Key, None]
    read: Callable[[Key], Value | ReadFailure]
    behind: frozenset[Key]
    hangs: float
    most_failures: int
    began_at: float
    answered_at: float = field(init=False)
    keys: tuple[Key, ...] = field(init=False)
    found: dict[Key, Value | ReadFailure] = field(default_factory=dict)
    stop: ReadFailure = ReadFailure(code=NO_ANSWER_YET)
    failures: int = 0
    probed: bool = False
    left: bool = False
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.answered_at, self.keys = self.began_at, tuple(self.unbegun)

    def read_in_order(self) -> None:
        """Reads until no key is left or a failure stops."""
        while self.unbegun:
            key = next(iter(self.unbegun))
            del self.unbegun[key]
            self.record(key, self.read(key), self.began_at, hung=False)

    def record(self, key: Key, value: Value | ReadFailure, now: float, *, hung: bool) -> None:
        """Records what a reading has come to, and leaves the other keys out if Connect refuses or fails them all."""
        self.found[key], self.answered_at = value, now
        if not (isinstance(value, ReadFailure) and value.stops):
            self.probed = self.probed or key in self.behind
            return
        self.failures += not hung
        if self.failures >= self.most_failures or isinstance(value.answer, Denied | Throttled | Unauthenticated):
            self.stop = replace(value, requested=False)
            self.unbegun.clear()

    @property
    def results(self) -> dict[Key, Value | ReadFailure]:
        """Returns what every key has come to."""
        return {key: self.found.get(key, self.stop) for key in self.keys}


@dataclass(slots=True, eq=False)
class _Reading:
    """Holds a reading that a thread makes, and since when it was not seen waiting for a token."""

    job: _KeysToRead[Any, Any]
    key: Hashable
    since: float
    thread: int = 0

    @property
    def behind(self) -> bool:
        return self.key in self.job.behind

    def hangs(self, now: float) -> bool:
        return now - self.since >= self.job.hangs


class Background:
    """Runs the readings of decisions. Thread-safe.

    Without a ``pool`` a decision waits for each reading. With one it waits for ``READ_WITHIN`` at most. A reading that
    takes longer continues, and ``late`` is called when it has a value, because the decision can then be made again.
    ``awaits_token`` returns whether a thread waits for its turn, so that nothing hangs.
    """

    def __init__(
        self,
        pool: Executor | None = None,
        late: Callable[[], object] = lambda: None,
        *,
        monotonic: Callable[[], float] = monotonic,
        awaits_token: Callable[[int], bool] = lambda thread: False,
    ) -> None:
        self.monotonic = monotonic
        self._pool = pool
        self._late = late
        self._awaits_token = awaits_token
        self._look = local()
        self._begun: defaultdict[Hashable, set[_Reading]] = defaultdict(set)
        self._under_way: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
        self._changed = Condition()

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
        with self._changed:
            return frozenset(self._under_way[kind])

    def read_all(
        self,
        kind: Hashable,
        keys: Iterable[Key],
        read: Callable[[Key], Value | ReadFailure],
        *,
        behind: Collection[Key] = (),
        hangs: float = READ_WITHIN,
    ) -> dict[Key, Value | ReadFailure]:
        """Reads the keys in this order and returns what each reading has come to, in time.

        With a pool up to ``AT_ONCE`` are read at a time, apart from those that take longer than ``hangs``, for which
        the look does not wait. Keys ``behind`` were not answered the last time. They are read after the others and one
        at a time until one is answered, and no look waits for them. A denied or throttled operation ends all readings,
        as do ``AT_ONCE`` failures that do not hang. Raises what ``read`` raises, if that is in time.
        """
        refused: ReadFailure | None = getattr(self._look, "refused", None)
        if refused is not None:
            return dict.fromkeys(keys, refused)
        order = dict.fromkeys(sorted(keys, key=lambda key: key in behind))
        failures = 1 if self._pool is None else AT_ONCE
        job = _KeysToRead(kind, order, read, frozenset(behind), hangs, failures, self.monotonic())
        if self._pool is None:
            job.read_in_order()
        else:
            self._read_together(job, self._pool)
        found = job.results
        if hasattr(self._look, "until"):
            answers = (one.answer if isinstance(one, ReadFailure) else one for one in found.values())
            refusal = next((one for one in answers if isinstance(one, Unauthenticated)), None)
            self._look.refused = None if refusal is None else replace(ReadFailure.of(refusal), requested=False)
        return found

    def _read_together(self, job: _KeysToRead[Key, Value], pool: Executor) -> None:
        """Reads on the threads of the pool, and waits as long as a look does."""
        until = getattr(self._look, "until", job.began_at + READ_WITHIN)
        with self._changed:
            self._under_way[job.kind].update(job.keys)
        self._begin_readings(job, pool, is_over=lambda: self._is_waited_for_no_longer(job, until))
        with self._changed:
            job.left = True
            if job.unbegun:
                pool.submit(self._begin_readings, job, pool, is_over=lambda: not job.unbegun)
        if job.error is not None:
            raise job.error

    def _begin_readings(self, job: _KeysToRead[Key, Value], pool: Executor, *, is_over: Callable[[], bool]) -> None:
        """Begins the readings of a job as earlier ones end or hang, until it is over."""
        with self._changed:
            while True:
                now = self.monotonic()
                for one in self._begun[job.kind]:
                    one.since = now if self._awaits_token(one.thread) else one.since
                while self._has_room(job, now):
                    key = next(iter(job.unbegun))
                    del job.unbegun[key]
                    begun = _Reading(job, key, now)
                    self._begun[job.kind].add(begun)
                    pool.submit(self._read_one, begun)
                if is_over():
                    return
                self._changed.wait(LOOK_EVERY)

    def _has_room(self, job: _KeysToRead[Key, Value], now: float) -> bool:
        """Returns whether the next key can be read now."""
        begun = self._begun[job.kind]
        at_work = sum(not one.hangs(now) for one in begun)
        if not job.unbegun or at_work >= AT_ONCE or len(begun) >= MOST:
            return False
        if at_work and not job.found and now - job.began_at < HEAD_START * READ_WITHIN:
            return False
        probe = next(iter(job.unbegun)) in job.behind and not job.probed
        return not (probe and any(one.behind for one in begun))

    def _is_waited_for_no_longer(self, job: _KeysToRead[Key, Value], until: float) -> bool:
        """Returns whether a look has all that it waits for: its time is over, no answer is expected soon, or none has
        come for some time while readings hang."""
        now = self.monotonic()
        hanging = [one.hangs(now) for one in self._begun[job.kind] if one.job is job and not one.behind]
        expected = not all(hanging) or any(key not in job.behind for key in job.unbegun)
        quiet = any(hanging) and now - job.answered_at >= job.hangs
        return now >= until or quiet or not expected or job.error is not None

    def _read_one(self, begun: _Reading) -> None:
        begun.thread, job, late = get_ident(), begun.job, False
        try:
            value = job.read(begun.key)
        except Exception as error:
            with self._changed:
                self._end(begun)
                job.error = error
                if job.left:
                    events.log_broken()
        else:
            with self._changed:
                now = self.monotonic()
                job.record(begun.key, value, now, hung=begun.hangs(now))
                late = job.left and not isinstance(value, ReadFailure)
                self._end(begun)
        if late:
            self._late()

    def _end(self, begun: _Reading) -> None:
        job = begun.job
        self._begun[job.kind].discard(begun)
        read_still = {one.key for one in self._begun[job.kind]} | job.unbegun.keys()
        self._under_way[job.kind].difference_update([key for key in job.keys if key not in read_still])
        self._changed.notify_all()
