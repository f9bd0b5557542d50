"""Tests conditions of ``match`` against contacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from router.model import Need, NeedKind
from router.rules.condition import Match, Truth, Unread, match
from router.rules.load import parse_rules
from router.rules.value_test import Value


@dataclass
class Shown:
    values: dict[str, Value | Unread] = field(default_factory=dict)

    def value(self, key: str) -> Value | Unread | None:
        return self.values.get(key)


def matched(condition: str, **values: Value | Unread) -> Match:
    text = f'[[rule]]\nname = "r"\n[rule.match]\n{condition}\n'
    rule = parse_rules([("r.toml", text.encode())]).rules[0]
    return match(rule.condition, Shown({key.replace("__", "."): value for key, value in values.items()}))


def fits(condition: str, **values: Value | Unread) -> bool:
    truth = matched(condition, **values).truth
    assert truth is not Truth.UNREAD
    return truth is Truth.YES


@pytest.mark.parametrize(
    ("condition", "shown", "expected"),
    [
        ('name = "Invoice"', "Invoice", True),
        ('name = "Invoice"', "invoice", False),
        ('name = "Invoice"', "Invoice 7", False),
        ('name = "Invoice*"', "Invoice 7", True),
        ('name = "*voice*"', "Invoice\n7", True),
        ('name = "Invoice ?"', "Invoice 7", True),
        ('name = "Invoice ?"', "Invoice 77", False),
        ('name = "Invoice ?*"', "Invoice ", False),
        ('name = "a?b"', "aéb", True),
        ('name = "[TEST]*"', "[TEST] x", True),
        ('name = "[TEST]*"', "T", False),
        ('name = "a.c*"', "abc", False),
        ('name = ""', "", True),
        ('name = "*"', "", True),
        ('name = ["A", "B*"]', "Bx", True),
        ('name = ["A", "B*"]', "C", False),
        ('name = { not = "A" }', "B", True),
        ('name = { not = "A" }', "A", False),
        ('name = { not = ["A", "B*"] }', "Bx", False),
        ('name = { present = true }', "", True),
        ('name = { present = false }', "", False),
        ('name = { matches = "[0-9]+" }', "77", True),
        ('name = { matches = "[0-9]+" }', "77x", False),
        ('name = { matches = "(?i)urgent.*" }', "URGENT now", True),
        ('name = { matches = "a*" }', "a" * 4096 + "b", True),
        ('name = "x"', "\ud800", False),
        ('name = "?"', "\ud800", True),
        ('name = { matches = "." }', "\ud800", True),
    ],
)  # fmt: skip
def test_texts(condition, shown, expected):
    assert fits(condition, name=shown) is expected


@pytest.mark.parametrize(
    "condition",
    ['"A"', '"*"', '["A", "*"]', "{ present = true }", '{ matches = ".*" }', "5", "{ min = 0 }"],
)
def test_a_missing_attribute_fails(condition):
    assert not fits(f"tags.x = {condition}")


@pytest.mark.parametrize("condition", ["{ present = false }", '{ not = "A" }', '{ not = ["A", "*"] }'])
def test_a_missing_attribute_fits_not_and_present_false(condition):
    assert fits(f"tags.x = {condition}")


@pytest.mark.parametrize(
    ("condition", "shown", "expected"),
    [
        ("{ min = 5 }", "5", True),
        ("{ min = 5 }", "4.99", False),
        ("{ max = 5 }", "-3", True),
        ("{ min = 0.1 }", "0.1", True),
        ("{ min = 1, max = 2 }", "1.5", True),
        ("5", "5.0", True),
        ("5", "05", True),
        ("5", "5 ", False),
        ("{ min = 5 }", "1e3", False),
        ("{ min = 5 }", "1_000", False),
        ("{ min = 5 }", "", False),
        ("{ min = 5 }", "inf", False),
        ("{ min = 5 }", "nan", False),
        ("{ min = 5 }", "\N{ARABIC-INDIC DIGIT SEVEN}", False),
        ("{ min = 5 }", "9" * 5000, False),
        ('"5"', "5.0", False),
    ],
)
def test_numbers_in_attributes(condition, shown, expected):
    assert fits(f"tags.x = {condition}", tags__x=shown) is expected
    assert fits(f'segment_attributes."x" = {condition}', segment_attributes__x=shown) is expected


@pytest.mark.parametrize(
    ("condition", "minutes", "expected"),
    [
        ('{ min = "5m" }', 5, True),
        ('{ min = "5m" }', 4, False),
        ('{ max = "5m" }', 5, True),
        ('{ max = "5m" }', 6, False),
        ('{ min = "5m", max = "6m" }', 6, True),
        ('"5m"', 5, True),
    ],
)
def test_waited(condition, minutes, expected):
    assert fits(f"waited = {condition}", waited=timedelta(minutes=minutes)) is expected


@pytest.mark.parametrize(
    ("condition", "queue", "expected"),
    [
        ('"Billing"', ("Billing", "id-1"), True),
        ('"id-1"', ("Billing", "id-1"), True),
        ('"arn:aws:connect:us-east-1:1:instance/i/queue/id-1"', ("Billing", "id-1"), True),
        ('"Bill*"', ("Billing", "id-1"), True),
        ('"id-*"', ("Billing", "id-1"), False),
        ('"*"', ("id-1",), True),
        ('{ not = "Billing" }', ("Billing", "id-1"), False),
        ('{ not = "id-1" }', ("Billing", "id-1"), False),
        ('{ matches = "Bill.*" }', ("Billing", "id-1"), True),
        ('{ matches = "id.*" }', ("Billing", "id-1"), False),
    ],
)
def test_queues_are_matched_by_name_id_and_arn_and_globs_by_name(condition, queue, expected):
    assert fits(f"queue = {condition}", queue=queue) is expected


@pytest.mark.parametrize(
    ("condition", "shown", "expected"),
    [('"TASK"', "TASK", True), ('["TASK", "EMAIL"]', "EMAIL", True), ('{ not = "TASK" }', "EMAIL", True)],
)
def test_channels(condition, shown, expected):
    assert fits(f"channel = {condition}", channel=shown) is expected


def test_all_keys_must_hold():
    assert fits('channel = "TASK"\nname = "A"', channel="TASK", name="A")
    assert not fits('channel = "TASK"\nname = "A"', channel="TASK", name="B")


def test_any_all_and_none_nest():
    condition = 'any = [{ name = "A" }, { all = [{ name = "B" }, { channel = "TASK" }] }]\nnone = [{ tags.x = "1" }]'
    assert fits(condition, name="A", channel="EMAIL")
    assert fits(condition, name="B", channel="TASK")
    assert not fits(condition, name="B", channel="EMAIL")
    assert not fits(condition, name="A", tags__x="1")


def test_a_value_that_was_not_read_leaves_it_open_unless_another_decides():
    unread = Unread("no answer", Need(NeedKind.DETAILS, "c1"))
    assert matched('name = "A"\ntags.x = "1"', name="A", tags__x=unread).truth is Truth.UNREAD
    assert matched('name = "A"\ntags.x = "1"', name="B", tags__x=unread).truth is Truth.NO
    assert matched('any = [{ name = "A" }, { tags.x = "1" }]', name="A", tags__x=unread).truth is Truth.YES
    assert matched('none = [{ name = "A" }, { tags.x = "1" }]', name="A", tags__x=unread).truth is Truth.NO
    assert matched('none = [{ tags.x = "1" }]', tags__x=unread).needs == (unread.need,)


def test_the_trace_tells_each_condition_as_the_file_says_it_and_what_was_seen():
    condition = 'queue = ["A", "B *"]\nwaited = { min = "1h30m" }\ntags."a b" = { not = "x" }'
    seen = matched(condition, queue=("A", "1")).seen
    assert [one.test.text for one in seen] == [
        'queue = ["A", "B *"]',
        'waited = { min = "1h30m" }',
        'tags."a b" = { not = "x" }',
    ]
    assert [one.value for one in seen] == [("A", "1"), None, None]


def test_a_condition_knows_its_place():
    text = '[[rule]]\nname = "r"\n[rule.match]\nany = [{ name = "A" }, { tags.x = 1 }]\n'
    rule = parse_rules([("r.toml", text.encode())]).rules[0]
    seen = match(rule.condition, Shown()).seen
    assert [str(one.test.place) for one in seen] == ["r.toml:4:17", "r.toml:4:35"]
