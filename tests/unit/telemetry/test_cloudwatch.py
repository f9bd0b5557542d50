"""Checks CloudWatch's Embedded Metric Format on ``cycle.finished`` against AWS's published schema and its prose."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import structlog

from router import logs
from router.search.progress import SearchProgress
from router.telemetry.cloudwatch import NAMESPACE, UNITS, embedding
from router.telemetry.cycle_report import CycleReport

pytestmark = pytest.mark.usefixtures("restored_logging")

INSTANCE = "11111111-2222-3333-4444-555555555555"
CLOUDWATCHS_UNITS = {"Seconds", "Count"}
"""Of MetricDatum's units (CloudWatch API reference), those that have a meaning here."""

# The shape that "Specification: Embedded metric format" (CloudWatch user guide) demands.
NAMED = {"type": "string", "minLength": 1, "maxLength": 1024}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": {**NAMED, "pattern": r"^(?!AWS/)[0-9A-Za-z.\-_/#:]+$"},
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": 30, "items": {"type": "string", "minLength": 1, "maxLength": 250}},
        },
        "Metrics": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["Name"],
                "additionalProperties": False,
                "properties": {"Name": NAMED, "Unit": {"type": "string"}, "StorageResolution": {"enum": [1, 60]}},
            },
        },
    },
}
FORMAT = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
            },
        }
    },
}


@pytest.fixture
def written():
    """Returns a function that logs a cycle as the service does, and returns the parsed line."""

    def write(embedded=True, event="cycle.finished", **changed):
        stream = io.StringIO()
        logs.configure(stream=stream, format="json", taps=[embedding(INSTANCE)] if embedded else [])
        figures = {
            "cycle": 7, "waiting": 40, "ungoverned": 3, "due": 5, "transferred": 2, "would_transfer": 0,
            "reprioritized": 1, "warned": 1, "failed": 0, "held": {"cooldown": 2, "closed": 1}, "seconds": 1.25,
            "oldest_breach": timedelta(minutes=3),
        }  # fmt: skip
        report = CycleReport(**{**figures, **changed})
        fields = {"mode": "enforce", "revision": "9a950a85ec9e", "calls": {"SearchContacts": 2, "DescribeContact": 9}}
        structlog.get_logger("router").info(event, **fields, **report.fields())
        return json.loads(stream.getvalue())

    return write


def test_the_line_has_the_shape_that_aws_demands(written):
    line = written()

    jsonschema.validate(line, FORMAT)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert {metric["Unit"] for metric in directive["Metrics"]} <= CLOUDWATCHS_UNITS
    assert len(json.dumps(line).encode()) < 256 * 1024


@pytest.mark.parametrize("late", [None, timedelta(minutes=3)])
def test_each_metric_is_a_number_and_each_dimension_a_text_at_the_top_of_the_line(written, late):
    line = written(oldest_breach=late)

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    for metric in directive["Metrics"]:
        assert type(line[metric["Name"]]) in (int, float), metric
    for name in directive["Dimensions"][0]:
        assert isinstance(line[name], str)
        assert 0 < len(line[name]) <= 1024


def test_nothing_late_is_no_value_and_not_a_zero(written):
    (directive,) = written(oldest_breach=None)["_aws"]["CloudWatchMetrics"]

    assert set(UNITS) - {metric["Name"] for metric in directive["Metrics"]} == {"oldest_breach_s"}


def test_the_time_is_that_of_the_line_in_milliseconds(written):
    line = written()

    told = datetime.fromisoformat(line["timestamp"])
    assert datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC) - told < timedelta(milliseconds=1)


def test_what_is_no_number_in_the_line_is_summed(written):
    line = written(search=SearchProgress())

    assert (line["holds"], line["api_calls"], line["incomplete"]) == (3, 11, 1)
    assert written()["incomplete"] == 0


def test_the_line_keeps_all_that_it_has_without(written):
    line, plain = written(), written(embedded=False)

    added = {"_aws", "holds", "api_calls", "incomplete"}
    assert set(line) - set(plain) == added
    assert line["instance"] == INSTANCE
    assert all(line[key] == plain[key] for key in set(plain) - {"timestamp", "instance"})


def test_no_other_line_has_metrics(written):
    assert "_aws" not in written(event="cycle.late")


def test_the_page_has_every_metric_with_its_unit():
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    table = page.partition("## CloudWatch")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (\w+) \|", table, flags=re.MULTILINE)

    assert {name: unit for names, unit in rows for name in re.findall(r"`(\w+)`", names)} == UNITS
    assert f"has {len(UNITS)} custom metrics" in table
