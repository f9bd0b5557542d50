"""Compares the table of metrics with the values that are read and with the keys of the file format."""

from dataclasses import fields

from router.model import METRICS, QueueMetrics
from router.rules.file.destination_table import DestinationTable
from router.rules.file.example_table import ExampleQueueTable


def test_every_metric_is_a_field_a_condition_and_a_value_of_examples():
    names = [metric.name for metric in METRICS]
    assert names == [field.name for field in fields(QueueMetrics)]
    assert [name for name in DestinationTable.model_fields if name in names] == names
    assert [name for name in ExampleQueueTable.model_fields if name != "open"] == names
