"""Checks the words of other programs, for which a message shows what to write instead."""

import pytest

from router.rules.file.destination_table import DestinationTable
from router.rules.file.field_types import SpanRange
from router.rules.file.match_table import AttributeTable, MatchTable, TextTable
from router.rules.file.rule_table import RuleTable, SlaTable, StepTable
from router.toml_source.model_keys import known_keys

TABLES = (MatchTable, TextTable, AttributeTable, SpanRange, RuleTable, SlaTable, StepTable, DestinationTable)


@pytest.mark.parametrize(("table", "word"), [
    (MatchTable, "not"), (TextTable, "contains"), (AttributeTable, ">"), (SpanRange, "over"), (RuleTable, "then"),
    (SlaTable, "within"), (StepTable, "else"), (DestinationTable, "queues"),
])  # fmt: skip
def test_each_table_knows_words_of_other_programs(table, word):
    assert table.synonym(word)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_no_word_of_another_program_hides_a_key(table):
    assert [key for key in known_keys(table, ()) if table.synonym(key)] == []
