"""Remembers queues and agents that the instance no longer has: one of them must not keep the others from being read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from threading import Lock
from typing import Generic, Protocol, TypeVar

import structlog

from router.connect.answers import Failure, Rejected, Unknown
from router.connect.fields import Row
from router.connect.reads import RefusedLately, readable

log = structlog.get_logger()

NOT_FOUND = "ResourceNotFoundException"
MOST_REFUSED = 8
"""How many ids of one batch may be refused alone in one reading; the next reading finds the others."""
MOST_UNEXPLAINED = 3
"""The same while Connect has answered for no part and the directory lists them all: the ids are not the reason."""
SPLIT_AGAIN_AFTER_S = 300.0
"""A request that is refused whatever its ids are must not cost these calls each time."""

Id = TypeVar("Id", bound=str)
K = TypeVar("K")
V = TypeVar("V")


class Listed(Protocol):
    """Describes a queue or an agent of the directory."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


class MissingIds(Generic[Id]):
    """Knows the ids of one ``kind`` that Connect refused as part of a list. Thread-safe.

    AWS does not document what one unknown id does to a call that lists many. A refused batch is therefore split until
    the ids are known that are refused alone. They are left out from then on, and requested again after each reading of
    the directory, in a batch of their own.
    """

    def __init__(self, kind: str, monotonic: Callable[[], float]) -> None:
        self._kind = kind
        self.unexplained = RefusedLately(monotonic, again_after=SPLIT_AGAIN_AFTER_S)
        self._known: frozenset[Id] = frozenset()
        self._again: frozenset[Id] = frozenset()
        self._names: dict[str, str] = {}
        self._listed: frozenset[str] | None = None
        self._lock = Lock()

    @property
    def known(self) -> frozenset[Id]:
        """Returns the ids that are left out."""
        return self._known

    def directory_read(self, listed: Iterable[Listed]) -> None:
        """Learns what the directory lists, and has the missing ids requested once again."""
        names = {one.id: one.name for one in listed}
        with self._lock:
            self._names.update(names)
            self._listed = frozenset(names) or None
            self._again |= self._known
            self._known = frozenset()

    def may_exist(self, one: Id) -> bool:
        """Returns whether the id was not missing before, and the last directory lists it or none was read."""
        return one not in self._again and (self._listed is None or one in self._listed)

    def batches(self, ids: Collection[Id], size: int) -> list[tuple[Id, ...]]:
        """Returns the ids to request, in batches; ids that were missing before the last directory are the last one."""
        left = sorted(set(ids) - self._known - self._again)
        found = [tuple(left[at : at + size]) for at in range(0, len(left), size)]
        again = sorted(self._again & set(ids))
        return found + [tuple(again[at : at + size]) for at in range(0, len(again), size)]

    def record(self, missing: Id) -> None:
        """Records that Connect refused this id alone, and logs it unless it was logged before."""
        with self._lock:
            is_news = missing not in self._known | self._again
            self._known |= {missing}
            self._again -= {missing}
        if is_news:
            log.error("directory.missing", kind=self._kind, id=missing, name=self._names.get(missing))

    def record_found(self, ids: Collection[Id]) -> None:
        """Records that Connect answered for these ids."""
        if self._again:
            with self._lock:
                self._again -= set(ids)


class BatchParts(Generic[Id]):
    """Yields one batch, and parts of it while Connect refuses them.

    The caller reports each part with ``answered`` or ``refused``, and ends where ``refused`` returns ``False``.
    """

    def __init__(self, missing: MissingIds[Id], batch: tuple[Id, ...]) -> None:
        self._missing = missing
        self._batch = batch
        self._parts = [batch]
        self._refused: list[Id] = []
        self._answered = False

    def __iter__(self) -> Iterator[tuple[Id, ...]]:
        while self._parts:
            yield self._parts.pop()

    def answered(self, part: tuple[Id, ...]) -> None:
        """Records that Connect answered for a part. What it refuses of the batch is therefore about single ids."""
        self._answered = True
        self._missing.record_found(part)
        self._record_refused()

    def refused(self, part: tuple[Id, ...], failure: Failure) -> bool:
        """Returns whether to go on with smaller parts, or without an id that Connect refuses alone."""
        about_ids = isinstance(failure, Rejected) and (failure.status == 400 or failure.code == NOT_FOUND)
        if not about_ids or not part or self._missing.unexplained:
            return False
        if len(part) > 1:
            middle = len(part) // 2
            self._parts += [part[middle:], part[:middle]]
            return True
        self._refused.append(part[0])
        if self._answered or not self._missing.may_exist(part[0]):
            self._record_refused()
        elif len(self._refused) >= MOST_UNEXPLAINED or not self._parts:
            if part != self._batch:
                self._missing.unexplained.record()
            return False
        return len(self._refused) < MOST_REFUSED or not self._parts

    def _record_refused(self) -> None:
        for one in self._refused:
            self._missing.record(one)


def read_batches(
    missing: MissingIds[Id],
    batches: Iterable[tuple[Id, ...]],
    read: Callable[[tuple[Id, ...]], list[Row] | Failure],
    parse: Callable[[list[Row]], Mapping[K, V]],
) -> dict[K, V] | Failure:
    """Returns what ``parse`` makes of the rows of all batches. Any call that fails fails it all, except that ids which
    the instance no longer has are left out."""
    found: dict[K, V] = {}
    for batch in batches:
        parts = BatchParts(missing, batch)
        for part in parts:
            rows = read(part)
            if isinstance(rows, list):
                parts.answered(part)
                values = readable(parse, rows)
                if isinstance(values, Unknown):
                    return values
                found.update(values)
            elif not parts.refused(part, rows):
                return rows
    return found
