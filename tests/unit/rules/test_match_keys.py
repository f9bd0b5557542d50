"""Compares the tables of match keys and metrics with the tables of the file format."""

from dataclasses import fields

from router.model import METRICS, QueueMetrics
from router.rules.file.destination_table import DestinationTable
from router.rules.file.example_table import ExampleQueueTable
from router.rules.file.match_table import MatchTable
from router.rules.match_keys import MATCH_KEYS


def test_the_file_has_exactly_the_keys_of_the_table_in_the_same_order():
    assert [name for name in MatchTable.model_fields if not name.endswith("_")] == list(MATCH_KEYS)


def test_the_file_gives_the_group_keys_as_tables():
    groups = {name for name, value in MatchTable(channel="TASK") if value == {}}
    assert groups == {name for name, key in MATCH_KEYS.items() if key.group}


def test_every_metric_is_a_field_a_condition_and_a_value_of_examples():
    names = [metric.name for metric in METRICS]
    assert names == [field.name for field in fields(QueueMetrics)]
    assert [name for name in DestinationTable.model_fields if name in names] == names
    assert [name for name in ExampleQueueTable.model_fields if name != "open"] == names
