"""Checks that entries of the rules folder that look like rules and are not read are named."""

import pytest

from router.problems import Problems
from router.rules.load import load_rules, unread_files

RULE = '[[rule]]\nname = "one"\n[rule.match]\nqueue = "Billing"\n'
UNREAD = ["20-B.TOML", "20-b.Toml", "20-b.toml.txt", "20-B.TOML.TXT", "20-b.toml ", "20-b.toml.yaml", "20-b.toml (1)"]
MEANT = ["README.md", "rules.schema.json", ".20-b.toml", ".20-b.toml.swp", "20-b.toml~", "20-b.toml.bak",
         "20-b.toml.orig", "20-b.toml.disabled", "20-b.toml.rpmsave", "20-b.toml.dpkg-old",
         "notes.txt", "20-c.toml"]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "rules"
    path.mkdir()
    (path / "10-a.toml").write_text(RULE)
    return path


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_with_nearly_the_right_name_is_named(folder, name):
    (folder / name).write_text(RULE)

    assert [rule.name for rule in load_rules(folder).rules] == ["one"]
    assert [str(one) for one in unread_files(folder)] == [
        f'{folder}/{name}: this file is not read, because its name does not end in ".toml"; rename it'
    ]


@pytest.mark.parametrize("name", MEANT)
def test_a_file_that_is_read_or_was_put_away_is_not_named(folder, name):
    (folder / name).write_text(RULE)

    assert unread_files(folder) == []


@pytest.mark.parametrize("name", ["emea/20-b.toml", "emea/berlin/20-b.toml", "emea/20-B.TOML", "20-b.toml/20-b.txt"])
def test_a_subfolder_with_rules_is_named(folder, name):
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(RULE)

    (one,) = unread_files(folder)

    assert one.file == str(folder / name.split("/")[0])
    assert one.severity == "warning"
    assert one.message == "rule files in a subfolder are not read; move them up"


@pytest.mark.parametrize("name", ["schemas/rules.schema.json", ".git/20-b.toml", "..2026_11_30/20-b.toml"])
def test_another_subfolder_is_not_named(folder, name):
    (folder / name).parent.mkdir()
    (folder / name).write_text(RULE)

    assert unread_files(folder) == []


def test_one_file_of_rules_has_no_neighbours(folder):
    (folder / "20-B.TOML").write_text(RULE)

    assert unread_files(folder / "10-a.toml") == []
    assert unread_files(folder / "nowhere") == []


def test_a_folder_without_rules_names_what_is_nearly_one(tmp_path):
    (tmp_path / "20-B.TOML").write_text(RULE)

    with pytest.raises(Problems) as caught:
        load_rules(tmp_path)

    assert str(caught.value).splitlines() == [
        f"{tmp_path}: no rule file (*.toml) in this folder",
        f'{tmp_path}/20-B.TOML: this file is not read, because its name does not end in ".toml"; rename it',
    ]
