"""Loads a rule set from a folder or a file."""

from __future__ import annotations

import os

import pytest

from router.problems import Problems
from router.rules.load import load_rules, parse_rules, revision_of


def excludes(name: str) -> str:
    return f'[[rule]]\nname = "{name}"\nmatch.queue = "Billing"\n'


def reported(error: pytest.ExceptionInfo[Problems]) -> list[str]:
    return [str(problem) for problem in error.value.problems]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rules = tmp_path / "rules"
    rules.mkdir()
    return rules


def test_files_are_read_in_name_order_and_rules_from_top_to_bottom(folder):
    (folder / "b.toml").write_text(excludes("three"))
    (folder / "a.toml").write_text(excludes("one") + excludes("two"))
    assert [rule.name for rule in load_rules(folder).rules] == ["one", "two", "three"]


def test_hidden_files_other_endings_and_folders_are_left_out(folder):
    (folder / "a.toml").write_text(excludes("one"))
    (folder / ".b.toml").write_text(excludes("two"))
    (folder / "c.toml.bak").write_text(excludes("three"))
    (folder / "d.toml").mkdir()
    (folder / "sub").mkdir()
    (folder / "sub" / "e.toml").write_text(excludes("five"))
    assert load_rules(folder).files == (str(folder / "a.toml"),)


def test_a_file_behind_a_link_is_read(folder, tmp_path):
    (tmp_path / "elsewhere").write_text(excludes("one"))
    (folder / "a.toml").symlink_to(tmp_path / "elsewhere")
    assert len(load_rules(folder).rules) == 1


def test_one_file_may_have_any_name(folder):
    file = folder / "my-rules"
    file.write_text(excludes("one"))
    assert [rule.name for rule in load_rules(file).rules] == ["one"]


def test_a_folder_that_is_missing_is_reported(folder):
    with pytest.raises(Problems) as error:
        load_rules(folder / "nothing")
    assert reported(error) == [f"{folder}/nothing: there is no such file"]


def test_a_folder_without_rule_files_is_reported(folder):
    (folder / ".hidden.toml").write_text(excludes("one"))
    with pytest.raises(Problems) as error:
        load_rules(folder)
    assert reported(error) == [f"{folder}: no rule file (*.toml) in this folder"]


def test_a_dangling_link_is_reported(folder):
    (folder / "a.toml").symlink_to("nowhere.toml")
    with pytest.raises(Problems) as error:
        load_rules(folder)
    assert reported(error) == [f"{folder}/a.toml: there is no such file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_reported(folder):
    (folder / "a.toml").write_text(excludes("one"))
    (folder / "a.toml").chmod(0)
    with pytest.raises(Problems) as error:
        load_rules(folder)
    assert reported(error) == [f"{folder}/a.toml: cannot be read: Permission denied"]


def test_files_are_named_as_the_user_named_the_folder(folder, monkeypatch):
    (folder / "a.toml").write_text(excludes("a b"))
    monkeypatch.chdir(folder.parent)
    with pytest.raises(Problems) as error:
        load_rules(folder.relative_to(folder.parent))
    assert reported(error)[0].startswith("rules/a.toml:2:8: ")


def test_all_files_are_reported_at_once_and_sorted(folder):
    (folder / "c.toml").write_bytes(b"\xff")
    (folder / "b.toml").write_text("[[rule]\n")
    (folder / "a.toml").write_text(excludes("a b") + "more = 1\n")
    with pytest.raises(Problems) as error:
        load_rules(folder)
    places = [(problem.file.rpartition("/")[2], problem.line) for problem in error.value.problems]
    assert places == [("a.toml", 2), ("a.toml", 4), ("b.toml", 1), ("c.toml", 1)]


def test_a_name_used_in_two_files_is_reported_with_the_first_place(folder):
    (folder / "a.toml").write_text(excludes("one"))
    (folder / "b.toml").write_text("\n" + excludes("one"))
    with pytest.raises(Problems) as error:
        load_rules(folder)
    assert reported(error) == [f'{folder}/b.toml:3:8: a rule called "one" exists already at {folder}/a.toml:2:8']


def test_lists_and_defaults_are_of_their_own_file(folder):
    (folder / "a.toml").write_text('[defaults]\nflow = "F"\n[lists]\ntail = [{ queue = "Q" }]\n' + excludes("one"))
    (folder / "b.toml").write_text(excludes("two") + '[[rule.step]]\nat = "5m"\nto = "tail"\n')
    with pytest.raises(Problems) as error:
        load_rules(folder)
    assert reported(error) == [
        f'{folder}/b.toml:6:6: no list in [lists] is called "tail"; for a queue write to = [{{ queue = "tail" }}]'
    ]


def test_an_example_may_name_a_rule_of_another_file(folder):
    example = '[[example]]\nname = "x"\ncontact = { channel = "TASK", queue = "Q" }\n'
    (folder / "a.toml").write_text(example + 'expect = { rule = "one", hold = "excluded" }\n')
    (folder / "b.toml").write_text(excludes("one"))
    assert len(load_rules(folder).examples) == 1


def test_the_revision_follows_names_and_bytes_and_not_the_folder(folder, tmp_path):
    (folder / "a.toml").write_text(excludes("one"))
    before = load_rules(folder).revision
    moved = folder.rename(tmp_path / "elsewhere")
    assert load_rules(moved).revision == before
    (moved / "a.toml").write_text(excludes("one") + "# a comment\n")
    changed = load_rules(moved).revision
    (moved / "a.toml").rename(moved / "b.toml")
    assert len({before, changed, load_rules(moved).revision}) == 3
    assert len(before) == 12


def test_two_files_do_not_have_the_revision_of_one_with_the_same_bytes():
    assert revision_of([("a", b"xy")]) != revision_of([("a", b"x"), ("a", b"y")])


def test_a_file_of_comments_has_no_rules():
    assert parse_rules([("a.toml", b"# nothing yet\n")]).rules == ()


def test_a_table_among_the_rules_is_reported_and_the_rest_of_the_file_with_it():
    text = excludes("one") + '[rule]\nname = "two"\n[rule.match]\nqueue = "Claims"\n'
    with pytest.raises(Problems) as error:
        parse_rules([("a.toml", text.encode())])
    assert reported(error)[0].startswith("a.toml:4:2: ")


def test_a_pipe_among_the_rule_files_is_reported_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(Problems) as reported:
        load_rules(tmp_path)
    assert [str(problem) for problem in reported.value.problems] == [f"{tmp_path}/a.toml: this is not a file"]
