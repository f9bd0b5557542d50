"""Writes of several threads in one transaction: each on the disk when it returns, none undone by another's refusal."""

import sqlite3
import threading
from contextlib import contextmanager

import pytest

from router.ledger.connection import transaction
from router.ledger.errors import NotOpen
from router.ledger.group_commit import GroupCommit


class Disk:
    """A real database whose commit waits until it may go on; ``commits`` counts them."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.execute("CREATE TABLE IF NOT EXISTS written (what TEXT UNIQUE)")
        self.begun, self.go_on, self.commits = threading.Event(), threading.Event(), 0
        self.go_on.set()

    @contextmanager
    def writing(self):
        with transaction(self.connection):
            yield self.connection
            self.begun.set()
            assert self.go_on.wait(30)
        self.commits += 1

    def rows(self):
        return [row[0] for row in self.connection.execute("SELECT what FROM written ORDER BY rowid")]


def put(what):
    return lambda connection: connection.execute("INSERT INTO written VALUES (?)", (what,)).lastrowid


def refuse(connection):
    connection.execute("INSERT INTO written VALUES ('half')")
    raise NotOpen("no")


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "db")


def many(together, works):
    outcomes = {}

    def one(number, work):
        try:
            outcomes[number] = together.write(work)
        except BaseException as error:
            outcomes[number] = error

    threads = [threading.Thread(target=one, args=item) for item in enumerate(works)]
    return threads, outcomes


@pytest.mark.uses("threads")
def test_what_comes_while_the_disk_works_is_committed_at_once(disk):
    together = GroupCommit(disk.writing)
    disk.go_on.clear()
    first, _ = many(together, [put("first")])
    first[0].start()
    assert disk.begun.wait(30)
    others, outcomes = many(together, [put(str(number)) for number in range(20)])
    for thread in others:
        thread.start()
    while len(together._waiting) < 20:
        threading.Event().wait(0.001)
    disk.go_on.set()
    for thread in (*first, *others):
        thread.join(30)
    assert disk.commits == 2
    assert len(disk.rows()) == 21
    assert sorted(outcomes.values()) == list(range(2, 22))


@pytest.mark.uses("threads")
def test_no_write_that_is_on_the_disk_waits_for_the_commit_after_its_own(disk):
    begun, permits = threading.Semaphore(0), threading.Semaphore(0)

    @contextmanager
    def writing():
        with transaction(disk.connection):
            yield disk.connection
            begun.release()
            assert permits.acquire(timeout=30)

    together = GroupCommit(writing)
    threads, _ = many(together, [put(str(number)) for number in range(8)])
    first, *others, late = threads
    for group in ([first], others, [late]):
        for thread in group:
            thread.start()
        if first not in group:
            while len(together._waiting) < len(group):
                threading.Event().wait(0.001)
            permits.release()
        assert begun.acquire(timeout=30)
    for thread in (first, *others):
        thread.join(30)
        assert not thread.is_alive()
    assert late.is_alive()
    permits.release()
    late.join(30)
    assert len(disk.rows()) == 8


@pytest.mark.uses("threads")
def test_a_refusal_undoes_its_own_work_and_nothing_else(disk):
    together = GroupCommit(disk.writing)
    threads, outcomes = many(together, [put("a"), refuse, put("b")])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(disk.rows()) == ["a", "b"]
    assert isinstance(outcomes[1], NotOpen)


def test_where_the_database_fails_nothing_is_written_and_each_is_told(disk):
    together = GroupCommit(disk.writing)

    def broken(connection):
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(sqlite3.OperationalError):
        together.write(broken)
    assert disk.rows() == []
    assert together.write(put("later")) == 1


def test_what_was_answered_is_on_the_disk(disk, tmp_path):
    GroupCommit(disk.writing).write(put("kept"))
    again = sqlite3.connect(tmp_path / "db")
    assert again.execute("SELECT what FROM written").fetchall() == [("kept",)]
