"""Checks the journal of a service: it never delays or ends the service, whatever the disk does."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from router.history import journal as module
from router.history.journal import Journal
from router.history.journal_files import JournalFiles
from router.history.journal_reader import UnknownVersion, read_journal
from router.history.world import Gap, Left, Measured, Seen
from router.model import Channel, Contact, ContactId, QueueId
from router.settings import Settings

pytestmark = pytest.mark.uses("threads")
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE = Contact(id=ContactId("one"), channel=Channel.TASK, queue_id=QueueId("q"), enqueued_at=NOON)
TWO = replace(ONE, id=ContactId("two"))


class SetClock:
    """Shows the time that the test sets; the monotonic clock is the machine's and as much more as the test adds."""

    def __init__(self) -> None:
        self.at, self.ahead = NOON, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock():
    return SetClock()


def opened(folder, clock):
    settings = Settings.model_validate(
        {"connect": {"instance": "11111111-2222-3333-4444-555555555555"}, "journal": {"path": str(folder)}}
    )
    return Journal.open(settings, clock)


def settled(journal):
    """Waits until everything reported so far is written or lost."""
    until = time.monotonic() + 10
    while (journal._work or journal._busy) and time.monotonic() < until:
        time.sleep(0.005)
    assert not journal._work


def events_of(folder):
    return list(read_journal(folder, since=NOON - timedelta(days=9), until=NOON + timedelta(days=9)))


def test_a_full_disk_costs_records_and_one_line_and_the_reader_names_the_time(tmp_path, clock, monkeypatch):
    journal = opened(tmp_path, clock)
    with capture_logs() as lines:
        journal.record_cycle([ONE], 1)
        settled(journal)
        real, full = JournalFiles.write, [True]

        def write(files, record):
            if full[0]:
                raise OSError(28, "No space left on device")
            return real(files, record)

        monkeypatch.setattr(JournalFiles, "write", write)
        journal.encoder.write = journal.files.write
        for number in range(2, 6):
            clock.at += MINUTE
            clock.ahead += 60
            journal.record_cycle([ONE], number)
            settled(journal)
        full[0] = False
        clock.at += MINUTE
        clock.ahead += 60
        journal.record_cycle([TWO], 6)
        journal.close()
    named = [(line["event"], line["log_level"]) for line in lines]
    assert named == [("journal.failed", "warning"), ("journal.recovered", "info")]
    assert "No space left on device" in lines[0]["message"]
    found = events_of(tmp_path)
    (gap,) = [one for one in found if isinstance(one, Gap)]
    assert "4 records could not be written" in str(gap)
    assert (gap.at, gap.until) == (NOON, NOON + 5 * MINUTE)
    assert [one.contact.id for one in found if isinstance(one, Seen)] == ["one", "two"]
    assert [one.contact_id for one in found if isinstance(one, Left)] == ["one"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, clock):
    (tmp_path / "file").write_text("")
    journal = opened(tmp_path / "file" / "journal", clock)
    with capture_logs() as lines:
        journal.record_cycle([ONE], 1)
        journal.record_cycle([ONE], 2)
        journal.close()
    assert [line["event"] for line in lines] == ["journal.failed"]
    assert journal.lost == 2


def test_reports_that_the_disk_is_too_slow_for_are_lost_and_counted(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(module, "CAPACITY", 3)
    journal = opened(tmp_path, clock)
    with journal._changed:  # as if the thread were writing
        for number in range(6):
            journal.record_cycle([ONE], number)
    assert journal.lost == 3
    journal.close()
    assert journal.written == 3


def test_a_bug_in_the_journal_is_logged_and_the_next_file_has_everything_again(tmp_path, clock, monkeypatch):
    journal = opened(tmp_path, clock)
    journal.record_cycle([ONE], 1)
    settled(journal)
    with capture_logs() as lines:
        journal._add(lambda encoder: 1 / 0, clock.now(), 1)
        settled(journal)
        clock.ahead += 60
        clock.at += MINUTE
        journal.record_cycle([ONE], 2)
        journal.close()
    assert [line["event"] for line in lines] == ["journal.broken", "journal.recovered"]
    found = events_of(tmp_path)
    assert [one.contact.id for one in found if isinstance(one, Seen)] == ["one"]
    assert not [one for one in found if isinstance(one, Left)]


def test_a_clock_that_is_set_back_is_named(tmp_path, clock):
    journal = opened(tmp_path, clock)
    journal.record_cycle([ONE], 1)
    clock.at -= 10 * MINUTE
    journal.record_cycle([ONE], 2)
    journal.close()
    (gap,) = [one for one in events_of(tmp_path) if isinstance(one, Gap)]
    assert "the clock was set back" in str(gap)


@pytest.mark.parametrize(
    "at",
    ["noon", float("nan"), 1e308, 10**20, -(10**18), -62_135_596_801_000_000, True, [], 253_402_300_799_000_000],
)
@pytest.mark.parametrize("kind", ["metrics", "contact"])
def test_a_record_with_an_impossible_time_costs_only_itself_and_is_named(tmp_path, clock, at, kind):
    now = NOON.timestamp() * 1_000_000
    files = JournalFiles(tmp_path, timedelta(days=9))
    files.begin(NOON)
    contact = {"id": "one", "channel": "TASK", "enqueued_at": at}
    broken = {"k": "metrics", "at": at, "rows": []}
    if kind == "contact":
        broken = {"k": "set", "s": "contact", "i": "one", "v": contact}
    for one in (broken, {"k": "metrics", "at": now, "rows": []}):
        files.write(one)
    files.close()
    found = list(read_journal(tmp_path, since=NOON - MINUTE, until=NOON + MINUTE))
    assert [one.why for one in found if isinstance(one, Gap)] != []
    assert all("a record cannot be used" in one.why for one in found if isinstance(one, Gap))
    assert sum(isinstance(one, Measured) for one in found) == 1


def test_the_time_between_two_runs_is_a_gap(tmp_path, clock):
    for _ in range(2):
        journal = opened(tmp_path, clock)
        journal.record_cycle([ONE], 1)
        journal.close()
        clock.at += 10 * MINUTE
    (gap,) = [one for one in events_of(tmp_path) if isinstance(one, Gap)]
    assert (gap.at, gap.until, gap.why) == (NOON, NOON + 10 * MINUTE, "the service did not run")


def test_a_journal_of_a_later_version_is_refused_with_a_reason(tmp_path, clock):
    journal = opened(tmp_path, clock)
    journal.encoder.origin = {"v": 99}
    journal.record_cycle([ONE], 1)
    journal.close()
    with pytest.raises(UnknownVersion, match="version 99"):
        events_of(tmp_path)


def test_no_journal_is_opened_unless_a_folder_is_named(clock):
    settings = Settings.model_validate({"connect": {"instance": "11111111-2222-3333-4444-555555555555"}})
    assert Journal.open(settings, clock) is None
