"""Reads values on demand: cached while they are fresh, within a budget a look, failures last, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from router.connect.answers import Denied, Throttled, Unauthenticated
from router.lookup.background import HANGS, NO_ANSWER_YET, Background, ReadFailure

FOREVER = timedelta.max
REFUSED = (Denied, Throttled, Unauthenticated)
"""Responses that concern the operation, not one contact: that contact is not put behind the others."""
KEPT = 200_000
"""More than the contacts of an instance of Connect; bounds the memory."""

Item = TypeVar("Item")
Value = TypeVar("Value")


class Readings(Generic[Value]):
    """Remembers values, each with the time of its reading; thread-safe.

    A value is usable for ``usable_for``, and is dropped later as others are read. At most ``kept`` values are kept.
    """

    def __init__(self, *, usable_for: timedelta = FOREVER, kept: int = KEPT) -> None:
        self._usable_for = usable_for
        self._kept = kept
        self._values: dict[Hashable, tuple[Value, datetime]] = {}  # the oldest reading first
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: Hashable, value: Value, now: datetime) -> None:
        """Remembers a value as just read."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value, now
            while self._is_oldest_useless(now):
                del self._values[next(iter(self._values))]

    def _is_oldest_useless(self, now: datetime) -> bool:
        """Returns whether the oldest value can go. Another thread may have read it a moment after ``now``; a time that
        is further ahead was read from a clock that has been set back since."""
        _, read_at = next(iter(self._values.values()))
        return len(self._values) > self._kept or abs(now - read_at) > self._usable_for

    def get(self, key: Hashable, now: datetime) -> tuple[Value, timedelta] | None:
        """Returns a usable value and its age; ``None`` if there is none, or if the clock was set back since."""
        with self._lock:
            value, read_at = self._values.get(key, (None, now))
        age = now - read_at
        if value is None or not timedelta() <= age < self._usable_for:
            return None
        return value, age


@dataclass(kw_only=True)
class OnDemandReader(Generic[Item, Value]):
    """Reads one kind of value for the items of a look.

    ``read`` reads one value, with one call or a few. A value is read again when it is older than ``fresh_for``; until
    that succeeds the old one counts as long as ``readings`` has it. At most ``budget`` values are read in one look.
    A reading that continues in the ``background`` counts as failed until it ends. ``fits`` decides whether a remembered
    value is still one of the item, and ``keeps`` whether to remember a value.
    """

    key: Callable[[Item], Hashable]
    read: Callable[[Item, datetime], Value | ReadFailure]
    budget: int
    fresh_for: timedelta = FOREVER
    readings: Readings[Value] = field(default_factory=Readings)
    fits: Callable[[Item, Value], bool] = lambda item, value: True
    keeps: Callable[[Value, datetime], bool] = lambda value, now: True
    background: Background = field(default_factory=Background)
    _failed: dict[Hashable, bool] = field(default_factory=dict)
    """Keys whose last reading failed, the longest ago first, and whether Connect did not respond."""
    _lock: Lock = field(default_factory=Lock)

    def read_all(
        self, items: Iterable[Item], now: datetime, *, budget: int | None = None
    ) -> dict[Hashable, Value | ReadFailure]:
        """Returns, by key, the value of each item, or why it is not known. The first items are the most urgent.

        The others are not read in this look once a failure ``stops``, because each might take as long again.
        """
        wanted = {self.key(item): item for item in items}
        under_way = self.background.under_way(id(self))
        to_read = [key for key in self._to_read(wanted, now) if key not in under_way]
        to_read = to_read[: self.budget if budget is None else budget]
        with self._lock:
            behind = [key for key in to_read if self._failed.get(key)]
        fresh = self.background.read_all(
            id(self), to_read, lambda key: self._read_one(key, wanted[key], now), behind=behind, hangs=HANGS
        )
        stops = (one for one in fresh.values() if isinstance(one, ReadFailure) and one.stops)
        left_out = replace(next(stops, ReadFailure()), requested=False)
        unread = dict.fromkeys(wanted, left_out) | dict.fromkeys(under_way, ReadFailure(code=NO_ANSWER_YET)) | fresh
        return {key: self._best(key, item, now, unread[key]) for key, item in wanted.items()}

    def known(self, item: Item, now: datetime) -> Value | None:
        """Returns the usable value of an item without reading it; ``None`` if there is none."""
        found = self._usable(self.key(item), item, now)
        return found[0] if found is not None else None

    def _read_one(self, key: Hashable, item: Item, now: datetime) -> Value | ReadFailure:
        value = self.read(item, now)
        with self._lock:
            self._failed.pop(key, None)
            if isinstance(value, ReadFailure):
                self._failed[key] = value.stops and not isinstance(value.answer, REFUSED)
                if len(self._failed) > KEPT:
                    del self._failed[next(iter(self._failed))]
        if not isinstance(value, ReadFailure) and self.keeps(value, now):
            self.readings.put(key, value, now)
        return value

    def _best(self, key: Hashable, item: Item, now: datetime, fresh: Value | ReadFailure) -> Value | ReadFailure:
        if not isinstance(fresh, ReadFailure):
            return fresh
        known = self._usable(key, item, now)
        return known[0] if known is not None else fresh

    def _usable(self, key: Hashable, item: Item, now: datetime) -> tuple[Value, timedelta] | None:
        found = self.readings.get(key, now)
        return found if found is not None and self.fits(item, found[0]) else None

    def _to_read(self, wanted: dict[Hashable, Item], now: datetime) -> list[Hashable]:
        """Returns the keys to read: without a usable value first, then the oldest, and failures last in either part."""
        missing: list[Hashable] = []
        stale: list[tuple[timedelta, Hashable]] = []
        for key, item in wanted.items():
            found = self._usable(key, item, now)
            if found is None:
                missing.append(key)
            elif found[1] >= self.fresh_for:
                stale.append((found[1], key))
        stale.sort(key=lambda one: one[0], reverse=True)
        return [*self._failures_last(missing), *self._failures_last([key for _, key in stale])]

    def _failures_last(self, keys: list[Hashable]) -> Iterator[Hashable]:
        with self._lock:
            failed = list(self._failed)
        known = set(keys)
        yield from (key for key in keys if key not in self._failed)
        yield from (key for key in failed if key in known)
