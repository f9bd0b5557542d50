"""The ledger in one SQLite file, for one process that writes and any number that read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from router.ledger import statements
from router.ledger.connection import (
    WriterLock,
    closing_on_error,
    exposure,
    open_memory,
    open_reader,
    open_writer,
    prepare_file,
    prove_writable,
    require_place,
    require_sqlite,
    translated,
)
from router.ledger.errors import AlreadyIntended, LedgerUnavailable
from router.ledger.group_commit import GroupCommit, T
from router.ledger.outbox import post
from router.ledger.recent_moves import RecentMoves
from router.ledger.rows import EPOCH, MICROSECOND, micros, outcome_row, renewal_row
from router.ledger.schema import began_at, shipped, upgrade, version_of
from router.ledger.store import Store
from router.model import Action, ActionState, Contact, ContactId, Landing, Notice, Target

KEEP = timedelta(days=120)


@cache
def _empty() -> sqlite3.Connection:
    """Returns an empty ledger in memory. A copy of it takes a hundredth of the time of the migrations."""
    connection = open_memory()
    upgrade(connection, 0, shipped(), EPOCH)
    return connection


class SqliteLedger(Store):
    """Records what was intended and what became of it, for one Connect instance.

    Every method may be called from any thread, is atomic, and is on the disk when it returns. If the ledger cannot do
    it, ``LedgerUnavailable`` (``LedgerBroken`` if waiting does not help) is raised and nothing has changed. ``created``
    is true if this opening made the ledger. ``began_at`` is since when it knows what was done (``None``: it knows
    nothing of earlier processes). ``warnings`` are one-line findings about who can read it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        name: str,
        instance_id: str,
        keep: timedelta = KEEP,
        lock: WriterLock | None = None,
        writable: bool = True,
        created: bool = False,
        began_at: datetime | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(connection, name=name, instance_id=instance_id, lock=lock, writable=writable)
        self._together = GroupCommit(self.writing)
        self._recent = RecentMoves(self._read)
        self._keep = keep
        self.created = created
        self.began_at = began_at
        self.problem: str | None = None
        """Why it could not be kept up with lately, where others write it."""
        self.warnings = warnings

    def take_created(self) -> bool:
        """Returns whether this opening made the ledger, and only to the first caller."""
        created, self.created = self.created, False
        return created

    @classmethod
    def open(cls, path: Path, *, instance_id: str, now: datetime, keep: timedelta) -> Self:
        """Opens the ledger for writing, makes or upgrades it, and removes what is older than ``keep``.

        Raises LedgerInUse where another process has it, LedgerBroken where it is damaged, no ledger, or of a newer
        version, LedgerUnavailable where the disk is full, read-only or absent.
        """
        require_sqlite()
        # The lock's name follows links, so that two names of one file are one ledger.
        path = Path(os.path.realpath(path))
        with translated(str(path)):
            require_place(path)
            lock = WriterLock(path)
            try:
                return cls._opened(path, instance_id=instance_id, now=now, keep=keep, lock=lock)
            except BaseException:
                lock.release()
                raise

    @classmethod
    def _opened(cls, path: Path, *, instance_id: str, now: datetime, keep: timedelta, lock: WriterLock) -> Self:
        prepare_file(path)
        connection = open_writer(path)
        with closing_on_error(connection):
            migrations = shipped()
            version = version_of(connection, str(path), migrations)
            upgrade(connection, version, migrations, now)
            prove_writable(connection)
            ledger = cls(
                connection,
                name=str(path),
                instance_id=instance_id,
                keep=keep,
                lock=lock,
                created=version == 0,
                began_at=began_at(connection),
                warnings=exposure(path),
            )
            ledger.prune(now - min(keep, now - EPOCH))
        return ledger

    @classmethod
    def read(cls, path: Path, *, instance_id: str) -> Self:
        """Opens the ledger for reading only, also while a service writes it. Nothing is made or changed.

        If there is no file, the ledger is an empty one. Writing to it raises LedgerUnavailable.
        """
        require_sqlite()
        name = str(path)
        with translated(name):
            if not path.exists():
                return cls.in_memory(instance_id, of=name, writable=False)
            connection = open_reader(path)
            with closing_on_error(connection):
                migrations = shipped()
                version = version_of(connection, name, migrations)
                if 0 < version < migrations[-1].version:
                    raise LedgerUnavailable(f"{name}: has schema {version}; starting the service upgrades it")
            if version:
                began = began_at(connection)
                return cls(connection, name=name, instance_id=instance_id, writable=False, began_at=began)
            connection.close()
            return cls.in_memory(instance_id, of=name, writable=False)

    @classmethod
    def in_memory(cls, instance_id: str, *, keep: timedelta = KEEP, of: str = "memory", writable: bool = True) -> Self:
        """Returns an empty ledger that ends with the process, for observed acts or in place of an absent file."""
        require_sqlite()
        connection = open_memory()
        _empty().backup(connection)
        return cls(connection, name=of, instance_id=instance_id, keep=keep, writable=writable, created=writable)

    def histories(self, contacts: Iterable[Contact]) -> Mapping[ContactId, tuple[Action, ...]]:
        """Returns by contact id the actions of each contact's chain, oldest first, with one statement."""
        asked = list(contacts)
        found: dict[ContactId, list[Action]] = {contact.id: [] for contact in asked}
        rows = self.rows(statements.OF_CONTACTS, {"asked": statements.asked_of(asked)})
        for row, action in zip(rows, self._actions(rows), strict=True):
            found[ContactId(row["asked_id"])].append(action)
        return {contact_id: tuple(actions) for contact_id, actions in found.items()}

    def history(
        self,
        *,
        contact_id: ContactId | None = None,
        rule: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcome: ActionState | Landing | None = None,
        cycle: int | None = None,
        limit: int | None = None,
    ) -> tuple[Action, ...]:
        """Returns the newest ``limit`` actions that pass every filter given, newest last (``Records.history``)."""
        statement, values = statements.history_query(
            contact_id=contact_id, rule=rule, since=since, until=until, outcome=outcome, cycle=cycle, limit=limit
        )
        return tuple(reversed(self._read(statement, values)))

    def open_intents(self) -> tuple[Action, ...]:
        """Returns transfers and routing updates without a known outcome, oldest first."""
        return self._read(statements.OPEN_INTENTS)

    def open_follow_ups(self) -> tuple[Action, ...]:
        """Returns the follow-ups that are due, or whose outcome is not known, oldest first."""
        return self._read(statements.OPEN_FOLLOW_UPS)

    def last_cycle(self) -> int:
        """Returns the number of the last cycle that did something; 0 for an empty ledger."""
        return self.rows(statements.LAST_CYCLE, {})[0][0] or 0

    def followed(self) -> tuple[Action, ...]:
        """Returns moves that are still read by id, oldest first, including those without any landing."""
        return self._read(statements.FOLLOWED_MOVES)

    def moves_since(self, instant: datetime) -> tuple[Action, ...]:
        """Returns transfers that acted (also observed ones) or are open, decided since the instant, oldest first."""
        if not self._sole_writer:
            self._recent.forget()
        return self._recent.since(instant)

    def require_turn(self) -> None:
        """Does nothing, because a file is locked for one process. A shared ledger raises ``LedgerUnavailable``."""

    @property
    def _sole_writer(self) -> bool:
        """Returns whether nobody else can have written since."""
        return self._writable

    def last_targets(self) -> Mapping[tuple[str, timedelta], Target]:
        """Returns by rule and step time the destination of its last move that acted."""
        return {(one.rule, one.at): one.target for one in self._read(statements.LAST_MOVES) if one.target is not None}

    def intend(self, action: Action) -> Action:
        """Writes the action as an open intent, whatever its state is, and returns it with its id.

        Raises AlreadyIntended if the chain has an open move, if another update of the contact is under way, or if the
        same step of the same wait has acted.
        """
        if action.observed:
            raise ValueError("what is only observed is recorded, never intended")
        intent = replace(action, state=ActionState.INTENDED, settled_at=None)

        def write(connection: sqlite3.Connection) -> Action:
            statements.adopt(connection, self.instance_id, intent)
            standing = statements.open_in_chain(connection, self.instance_id, intent)
            if standing is not None:
                raise AlreadyIntended(f"{self.name}: chain {intent.chain_id} has the open intent {standing}")
            return self._insert(connection, intent)

        return self._together.write(write)

    def record(self, action: Action, *, notice: Notice | None = None) -> Action:
        """Writes an action that needs no intent and returns it with its id, and in the same transaction its notice.

        Raises AlreadyIntended if the same step of the same wait has acted. Observed and real acts do not exclude each
        other.
        """
        if action.open:
            raise ValueError("an open intent is written by intend")

        def write(connection: sqlite3.Connection) -> Action:
            statements.adopt(connection, self.instance_id, action)
            written = self._insert(connection, action)
            if notice is not None:
                post(connection, self.instance_id, notice)
            return written

        return self._together.write(write)

    def renew(self, action: Action) -> None:
        """Writes ``send_by``, ``attempts`` and ``routing`` of an open intent.

        Raises NotOpen if it is not open, and AlreadyIntended if another routing update of the contact is under way.
        """
        values = renewal_row(action)
        self._together.write(lambda connection: self._update(connection, statements.RENEW, action, values))
        self._recent.changed(action)

    def settle(self, action: Action) -> None:
        """Closes an open intent: state, outcome and landing are written, its parameters remain as they were intended.

        Raises NotOpen if it is not open, so that the second of two callers learns that it came second.
        """
        if action.open:
            raise ValueError("an intent is settled with an outcome")

        def write(connection: sqlite3.Connection) -> None:
            self._update(connection, statements.SETTLE, action, outcome_row(action))
            statements.adopt(connection, self.instance_id, action)

        self._together.write(write)
        self._recent.changed(action)

    def land(self, action: Action, *, follow_ups: Sequence[Action] = ()) -> tuple[Action, ...]:
        """Writes the landing of a transfer that acted, and its follow-ups in the same transaction.

        Returns the follow-ups with their ids; one that is there already stays as it is. Raises NotOpen if there is no
        such transfer.
        """

        def write(connection: sqlite3.Connection) -> tuple[Action, ...]:
            self._update(connection, statements.LAND, action, outcome_row(action))
            statements.adopt(connection, self.instance_id, action)
            return tuple(self._follow_up(connection, one) for one in follow_ups)

        written = self._together.write(write)
        self._recent.changed(action)
        return written

    def commit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Returns the result of ``work`` after it is on the disk, in one commit with the writes of other threads."""
        return self._together.write(work)

    def prune(self, before: datetime) -> int:
        """Removes the chains without an event since ``before``, and returns how many actions that were.

        A chain with an open move or routing update, or with a move whose landing is still followed, remains whatever
        its age. So does everything within ``keep`` of the newest action: a clock that jumps ahead does not empty the
        ledger.
        """
        with self.writing() as connection:
            newest = connection.execute(statements.NEWEST, {"instance": self.instance_id}).fetchone()[0] or 0
            before_us = min(micros(before), newest - self._keep // MICROSECOND)
            count = statements.delete_before(connection, self.instance_id, before_us)
        self._recent.forget()
        return count
