"""Checks the files of a journal: a damaged place costs what it holds, and is named."""

from datetime import UTC, datetime, timedelta

import pytest

from router.history.journal_files import Damage, JournalFiles, journal_paths, paths_between, read_lines

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def written(folder, records, *, at=NOON, keep=90 * 24 * HOUR):
    files = JournalFiles(folder, keep)
    path = files.begin(at)
    for record in records:
        files.write(record)
    files.flush()
    return files, path


def split(path):
    found = list(read_lines(path))
    return [one for one in found if not isinstance(one, Damage)], [one for one in found if isinstance(one, Damage)]


def test_records_are_read_back_before_the_file_is_ended(tmp_path):
    records = [{"k": "cycle", "n": number} for number in range(5)]
    _, path = written(tmp_path, records)
    assert split(path) == (records, [])


def test_a_torn_file_is_read_to_its_last_whole_record(tmp_path):
    records = [{"k": "cycle", "n": number, "text": f"{number * 7919}" * 20} for number in range(400)]
    files, path = written(tmp_path, records)
    files.close()
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        found, damage = split(path)
        assert found == records[: len(found)]
        assert all(one.why == "the last record is torn" and one.file == str(path) for one in damage)
        assert len(damage) <= 1


def test_a_damaged_byte_costs_the_rest_of_the_file_and_names_the_place(tmp_path):
    records = [{"k": "cycle", "n": number, "text": f"{number * 7919}" * 20} for number in range(4000)]
    files, path = written(tmp_path, records)
    files.close()
    data = bytearray(path.read_bytes())
    place = len(data) // 2
    data[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    found, damage = split(path)
    assert found == records[: len(found)]
    assert len(damage) == 1
    assert str(path) == damage[0].file


def test_a_record_that_is_no_object_costs_only_itself(tmp_path):
    _, path = written(tmp_path, [{"k": 1}, [1, 2], {"k": 2}])
    found, damage = split(path)
    assert found == [{"k": 1}, {"k": 2}]
    assert [one.why for one in damage] == ["a record is no JSON object"]


def test_each_hour_has_a_file_and_so_has_each_start(tmp_path):
    files, first = written(tmp_path, [{}])
    assert not files.begins(NOON + timedelta(minutes=59))
    assert files.begins(NOON + HOUR)
    assert not files.begins(NOON - timedelta(seconds=1))
    assert files.begins(NOON - 2 * HOUR)
    second = files.begin(NOON + HOUR)
    third = JournalFiles(tmp_path, HOUR).begin(NOON + HOUR)
    assert journal_paths(tmp_path) == [first, second, third]
    assert first.stat().st_mode & 0o777 == 0o600


def test_only_the_files_of_a_time_are_read(tmp_path):
    paths = [JournalFiles(tmp_path, 99 * HOUR).begin(NOON + hour * HOUR) for hour in range(5)]
    half = HOUR / 2
    assert paths_between(tmp_path, NOON + HOUR + half, NOON + 3 * HOUR) == paths[1:3]
    assert paths_between(tmp_path, NOON - HOUR, NOON + 99 * HOUR) == paths


def test_old_files_are_deleted_but_never_a_whole_journal_at_once(tmp_path):
    for hour in range(60):
        JournalFiles(tmp_path, 999 * HOUR).begin(NOON + hour * HOUR)
    JournalFiles(tmp_path, 50 * HOUR).begin(NOON + 60 * HOUR)
    assert len(journal_paths(tmp_path)) == 51
    JournalFiles(tmp_path, HOUR).begin(NOON + timedelta(days=3650))
    assert len(journal_paths(tmp_path)) == 4


def test_a_full_disk_raises_and_the_records_before_it_stay_readable(tmp_path, monkeypatch):
    files, path = written(tmp_path, [{"n": 1}])
    monkeypatch.setattr("os.write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    files.write({"n": 2})
    with pytest.raises(OSError, match="No space"):
        files.flush()
    files.abandon()
    assert split(path) == ([{"n": 1}], [])
    assert files.begins(NOON)
