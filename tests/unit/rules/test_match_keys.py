"""Compares the table of match keys with the table of the file format."""

from router.rules.file.match_table import MatchTable
from router.rules.match_keys import MATCH_KEYS


def test_the_file_has_exactly_the_keys_of_the_table_in_the_same_order():
    assert [name for name in MatchTable.model_fields if not name.endswith("_")] == list(MATCH_KEYS)


def test_the_file_gives_the_group_keys_as_tables():
    groups = {name for name, value in MatchTable(channel="TASK") if value == {}}
    assert groups == {name for name, key in MATCH_KEYS.items() if key.group}
