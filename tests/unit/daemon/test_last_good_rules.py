"""Checks that the file of the last good rules is whole or missing, and that no other file is taken for it."""

import json
import os

import pytest

from router.daemon.last_good_rules import LastGoodRules
from router.problems import Problems
from router.rules.load import parse_rules

RULE = b'[[rule]]\nname = "late"\nmatch.queue = "B\xc3\xbcro"\n'


@pytest.fixture
def kept(tmp_path):
    return LastGoodRules(tmp_path / "last-good-rules.json")


def test_what_is_kept_loads_again_with_its_revision(kept):
    rules = parse_rules([("rules/a.toml", RULE), ("rules/b.toml", RULE.replace(b"late", b"later"))])
    kept.keep(rules)

    again = kept.load()

    assert again.revision == rules.revision
    assert again.rules == rules.rules
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(kept.path.parent) == [kept.path.name]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"files": 3, "revision": ""}', b"\xff"])
def test_what_is_damaged_is_refused_with_one_line(kept, damage):
    kept.path.write_bytes(damage)

    with pytest.raises(Problems, match="damaged"):
        kept.load()


def test_rules_that_somebody_changed_in_it_are_refused(kept):
    kept.keep(parse_rules([("a.toml", RULE)]))
    told = json.loads(kept.path.read_text())
    told["files"][0][1] = told["files"][0][1].replace("late", "mine")
    kept.path.write_text(json.dumps(told))

    with pytest.raises(Problems, match="revision"):
        kept.load()


def test_a_folder_that_takes_nothing_is_no_reason_to_refuse_rules(tmp_path):
    LastGoodRules(tmp_path / "missing" / "last-good-rules.json").keep(parse_rules([("a.toml", RULE)]))

    assert not (tmp_path / "missing").exists()
