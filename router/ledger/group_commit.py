"""Writes of several threads in one transaction: a commit waits for the disk, however much it commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Condition
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class _Job(Generic[T]):
    """Holds a piece of work; after ``over`` it has either its ``result`` or its ``error``."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.work = work
        self.over = False
        self.result: T | None = None
        self.error: BaseException | None = None


class GroupCommit:
    """Commits the writes of several threads together: the first commits, and the next one commits all that arrive while
    the disk works.

    ``writing`` opens a transaction that is on the disk when its block ends without an exception. An exception of one
    piece of work undoes that piece alone. If SQLite fails, nothing of any of them is written, and each caller gets the
    error.
    """

    def __init__(self, writing: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._writing = writing
        self._waiting: list[_Job[object]] = []
        self._changed = Condition()
        self._committing = False

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Returns the result of ``work``, after it is on the disk."""
        job = _Job(work)
        with self._changed:
            self._waiting.append(cast(_Job[object], job))
            # Work that another thread has committed must not wait for the next commit.
            self._changed.wait_for(lambda: job.over or not self._committing)
            taken = [] if job.over else self._take()
        if taken:
            self._commit(taken)
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def _take(self) -> list[_Job[object]]:
        self._committing = True
        taken, self._waiting = self._waiting, []
        return taken

    def _commit(self, jobs: list[_Job[object]]) -> None:
        try:
            with self._writing() as connection:
                for job in jobs:
                    _perform(job, connection)
        except BaseException as error:
            for job in jobs:
                job.error = error
        finally:
            with self._changed:
                for job in jobs:
                    job.over = True
                self._committing = False
                self._changed.notify_all()


def _perform(job: _Job[object], connection: sqlite3.Connection) -> None:
    connection.execute("SAVEPOINT one")
    try:
        job.result = job.work(connection)
    except sqlite3.Error:
        raise
    except Exception as error:
        connection.execute("ROLLBACK TO one")
        job.error = error
    connection.execute("RELEASE one")
