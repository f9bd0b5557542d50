"""Checks that the watcher waits while files are being written, and that one change causes one reload."""

import threading
import time

import pytest

from router.daemon.rules_watcher import RulesWatcher, signature


@pytest.fixture
def watching(tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.toml").write_text("1")
    seen: list[str] = []
    stopping, change = threading.Event(), threading.Semaphore(0)

    def changed():
        seen.append("".join(file.read_text() for file in sorted(folder.glob("*.toml"))))
        change.release()

    thread = threading.Thread(target=RulesWatcher(lambda: folder, changed, stopping=stopping).run)
    thread.start()
    time.sleep(0.3)
    try:
        yield folder, seen, change
    finally:
        stopping.set()
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.uses("threads")
def test_a_change_is_seen_within_two_seconds(watching):
    folder, seen, change = watching
    (folder / "a.toml").write_text("2")

    assert change.acquire(timeout=2)
    assert seen == ["2"]


@pytest.mark.uses("threads")
def test_what_is_written_in_pieces_is_read_once_when_it_is_whole(watching):
    folder, seen, change = watching
    with (folder / "a.toml").open("w") as file:
        for piece in "whole":
            file.write(piece)
            file.flush()
            time.sleep(0.1)

    assert change.acquire(timeout=3)
    assert not change.acquire(timeout=1)
    assert seen == ["whole"]


@pytest.mark.uses("threads")
def test_files_that_are_no_rules_are_none_of_its_business(watching):
    folder, _, change = watching
    for name in (".a.toml.swp", "notes.txt", ".hidden.toml"):
        (folder / name).write_text("x")

    assert not change.acquire(timeout=1.2)


def test_the_signature_tells_a_file_replaced_by_one_of_the_same_size(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("1")
    before = signature(tmp_path)
    new = tmp_path / "new"
    new.write_text("2")
    new.rename(file)

    assert signature(tmp_path) != before


def test_a_folder_that_is_gone_has_a_signature_too(tmp_path):
    assert signature(tmp_path / "gone") != signature(tmp_path)


def test_what_changes_when_it_has_ended_it_is_behind_with(tmp_path):
    (tmp_path / "a.toml").write_text("1")
    stopping = threading.Event()
    watcher = RulesWatcher(lambda: tmp_path, lambda: None, stopping=stopping)
    stopping.set()
    watcher.run()
    assert not watcher.behind

    (tmp_path / "b.toml").write_text("2")

    assert watcher.behind


def test_a_change_that_was_told_as_it_ended_counts_as_not_told(tmp_path):
    (tmp_path / "a.toml").write_text("1")
    stopping = threading.Event()
    watcher = RulesWatcher(lambda: tmp_path, stopping.set, stopping=stopping)
    (tmp_path / "a.toml").write_text("22")

    watcher.run()

    assert watcher.behind
