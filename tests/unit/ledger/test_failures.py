"""Checks that an operation that the ledger cannot do is reported in one line and changes nothing."""

import os
import resource
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from router.ledger import LedgerBroken, LedgerUnavailable, SqliteLedger
from router.ledger.schema import shipped
from router.model import Action, ActionState


def intend_many(ledger: SqliteLedger, act: Callable[[str], Action], written: list[Action]) -> None:
    for number in range(5000):
        written.append(ledger.intend(act(f"c-{number}")))


def one_line(error: pytest.ExceptionInfo[BaseException]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_on_a_full_disk_nothing_is_written_and_later_everything_works_again(open_ledger, act):
    ledger = open_ledger()
    kept = ledger.record(act("kept"))
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")

    written: list[Action] = []
    with pytest.raises(LedgerUnavailable) as error:
        intend_many(ledger, act, written)
    assert one_line(error) == f"{ledger.name}: database or disk is full"
    assert not isinstance(error.value, LedgerBroken)
    assert ledger.history() == (kept, *written)

    ledger._connection.execute("PRAGMA max_page_count = 100000")
    again = ledger.intend(act(f"c-{len(written)}"))
    assert ledger.open_intents() == (*written, again)


@pytest.mark.uses("processes")
def test_a_file_that_may_not_grow_loses_nothing_that_was_committed(start, read_ledger, act):
    """Reaches the operating system's limit on the size of a file in the middle of a write."""
    process = start(
        """
from dataclasses import replace
from router.model import ContactId
import resource
ledger = opened()
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
for number in range(5000):
    contact = ContactId(f"c-{number}")
    try:
        ledger.intend(replace(ACTION, chain_id=contact, contact_id=contact, wait=replace(ACTION.wait, wait_id=contact)))
    except LedgerUnavailable as error:
        say(number)
        say(type(error).__name__)
        say(len(ledger.open_intents()))
        break
"""
    )
    output, errors = process.communicate(timeout=50)

    assert errors == ""
    written, kind, open_intents = output.split("\n")[:3]
    assert kind == "LedgerUnavailable"
    assert int(written) > 0
    assert open_intents == written
    assert len(read_ledger().open_intents()) == int(written)


@pytest.mark.uses("processes")
def test_a_new_ledger_that_finds_no_room_is_made_when_there_is_some(start, open_ledger, path):
    process = start(
        """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    opened()
except LedgerUnavailable as error:
    say(type(error).__name__)
"""
    )
    output, errors = process.communicate(timeout=50)

    assert (output, errors) == ("LedgerUnavailable\n", "")
    assert open_ledger().created
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.fixture
def somebodys_folder():
    """Creates a folder that another user can reach. For root, the permissions would forbid nothing."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@pytest.mark.uses("processes")
@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "reason"),
    [
        (0o444, 0o777, "ledger.db: attempt to write a readonly database"),
        (0o666, 0o555, "ledger.db.lock: Permission denied"),
    ],
)
def test_a_ledger_that_may_not_be_written_is_refused_at_once(
    start, open_ledger, somebodys_folder, file_mode, folder_mode, reason
):
    path = somebodys_folder / "ledger.db"
    open_ledger(path=path).close()
    path.with_name("ledger.db.lock").unlink()
    path.chmod(file_mode)
    somebodys_folder.chmod(folder_mode)
    process = start(
        """
SqliteLedger.in_memory("warm").close()  # reads of the program what the other user may not
if os.geteuid() == 0:  # whom no permission stops
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    opened()
except LedgerUnavailable as error:
    say(type(error).__name__ + " " + str(error))
say(len(SqliteLedger.read(PATH, instance_id="instance-1").history()))
""",
        path=path,
    )

    output, errors = process.communicate(timeout=50)

    assert errors == ""
    refusal, readable, _ = output.split("\n")
    assert refusal == f"LedgerUnavailable {somebodys_folder}/{reason}"
    assert readable == "0"


def test_a_write_that_another_program_blocks_is_unavailable_and_changes_nothing(open_ledger, path, act):
    ledger = open_ledger()
    ledger._connection.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(path)) as intruder:
        intruder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerUnavailable) as error:
            ledger.intend(act())
        assert one_line(error) == f"{path}: database is locked"
        assert waits_ms(ledger) == 200, "the next contact does not wait as long again"
    assert ledger.open_intents() == ()
    ledger.intend(act())
    assert waits_ms(ledger) == 5000


def waits_ms(ledger):
    return ledger._connection.execute("PRAGMA busy_timeout").fetchone()[0]


def test_a_commit_that_a_reader_holds_up_too_long_is_undone(open_ledger, path, act):
    ledger = open_ledger()
    ledger.record(act("kept"))
    ledger._connection.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM actions").fetchone()
        with pytest.raises(LedgerUnavailable, match="locked"):
            ledger.intend(act())
        reader.execute("ROLLBACK")
    assert ledger.open_intents() == ()

    intent = ledger.intend(act())
    assert ledger.open_intents() == (intent,)


@pytest.mark.parametrize("opening", ["write", "read"])
@pytest.mark.parametrize("content", [b"x", b"not a database " * 500, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database_is_broken_and_left_alone(open_ledger, read_ledger, path, content, opening):
    path.write_bytes(content)

    with pytest.raises(LedgerBroken) as error:
        (open_ledger if opening == "write" else read_ledger)()

    assert one_line(error).startswith(f"{path}: damaged, or not a ledger (")
    assert "restore a backup, or move the file away" in one_line(error)
    assert path.read_bytes() == content


def test_a_ledger_with_overwritten_pages_is_broken_at_start(open_ledger, path, act):
    with open_ledger() as ledger:
        for number in range(50):
            ledger.record(act(f"c-{number}"))
        size = ledger._connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    content[size * 3 : size * 8] = b"\x5a" * (size * 5)
    path.write_bytes(content)

    with pytest.raises(LedgerBroken) as error:
        open_ledger()

    assert one_line(error).startswith(f"{path}: damaged")
    assert path.read_bytes() == bytes(content)


def test_a_ledger_cut_short_is_broken_at_start(open_ledger, path, act):
    with open_ledger() as ledger:
        for number in range(50):
            ledger.record(act(f"c-{number}"))
    os.truncate(path, path.stat().st_size // 2)

    with pytest.raises(LedgerBroken) as error:
        open_ledger()
    assert one_line(error).startswith(f"{path}: damaged")


def test_a_ledger_that_breaks_while_it_is_open_is_unavailable_to_whoever_expects_that(open_ledger, path, act):
    ledger = open_ledger()
    for number in range(50):
        ledger.record(act(f"c-{number}"))
    with path.open("r+b") as file:
        file.write(b"\x5a" * path.stat().st_size)
    # SQLite caches the pages that it has read until another process changes the file.
    ledger._connection.execute("PRAGMA shrink_memory")

    with pytest.raises(LedgerUnavailable) as error:
        ledger.history()
    assert isinstance(error.value, LedgerBroken)


def test_a_file_of_no_bytes_is_what_a_crash_at_the_first_start_leaves_and_is_made_anew(open_ledger, path, act):
    path.touch()
    ledger = open_ledger()

    assert ledger.created
    assert ledger.history() == ()


@pytest.mark.parametrize("opening", ["write", "read"])
def test_a_folder_in_place_of_the_file_is_broken(open_ledger, read_ledger, path, opening):
    path.mkdir()

    with pytest.raises(LedgerBroken) as error:
        (open_ledger if opening == "write" else read_ledger)()
    assert one_line(error) == f"{path}: not a file; name another in ledger.url"
    assert [each.name for each in path.parent.iterdir()] == ["ledger.db"]


def test_a_folder_that_is_not_there_is_not_made(open_ledger, path):
    missing = path.parent / "not-mounted"

    with pytest.raises(LedgerUnavailable) as error:
        open_ledger(path=missing / "ledger.db")
    assert one_line(error) == f"{missing}: no such folder to keep the ledger in"
    assert not missing.exists()


@pytest.mark.parametrize("opening", ["write", "read"])
def test_the_database_of_another_program_is_broken_and_left_alone(open_ledger, read_ledger, path, opening):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")
        other.commit()
    before = path.read_bytes()

    with pytest.raises(LedgerBroken) as error:
        (open_ledger if opening == "write" else read_ledger)()
    assert one_line(error) == f"{path}: this is a SQLite database of another program; name another file in ledger.url"
    assert path.read_bytes() == before


@pytest.mark.parametrize("opening", ["write", "read"])
def test_a_ledger_of_a_newer_version_is_broken_and_left_alone(open_ledger, read_ledger, path, opening):
    open_ledger().close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    with pytest.raises(LedgerBroken) as error:
        (open_ledger if opening == "write" else read_ledger)()
    assert f"written by a newer connect-router (schema 99, this one knows up to {len(shipped())})" in one_line(error)
    assert path.read_bytes() == before


def test_a_record_that_this_version_cannot_read_is_broken(open_ledger, path, act):
    ledger = open_ledger()
    ledger.record(act())
    ledger._connection.execute("UPDATE actions SET landing = 'teleported'")

    with pytest.raises(LedgerBroken) as error:
        ledger.history()
    assert one_line(error).startswith(f"{path}: a record cannot be read ('teleported' is not a valid Landing)")


def test_a_sqlite_without_strict_tables_is_refused_in_words(monkeypatch, path, now, keep):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    openings: list[Callable[[], SqliteLedger]] = [
        lambda: SqliteLedger.open(path, instance_id="instance-1", now=now, keep=keep),
        lambda: SqliteLedger.read(path, instance_id="instance-1"),
        lambda: SqliteLedger.in_memory("instance-1"),
    ]
    for opening in openings:
        with pytest.raises(LedgerBroken, match=r"the ledger needs 3\.37\.0 or newer"):
            opening()


@pytest.mark.uses("processes")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_disk_that_fills_up_loses_nothing_that_was_committed(tmp_path, open_ledger, act):
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=300k,mode=700", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        with open_ledger(path=disk / "ledger.db") as ledger:
            written: list[Action] = []
            with pytest.raises(LedgerUnavailable, match="full"):
                intend_many(ledger, act, written)
            assert written
            assert ledger.open_intents() == tuple(written)
            ledger.settle(replace(written[0], state=ActionState.NEVER_SENT))
        with open_ledger(path=disk / "ledger.db") as ledger:
            assert ledger.open_intents() == tuple(written[1:])
    finally:
        subprocess.run(["umount", str(disk)], check=True)
