"""Checks that every proof about two conditions holds for every contact, because a wrong one would stop the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from router.problems import Place
from router.prove.implication import Prover
from router.prove.overlap import common_contact
from router.prove.rule_scopes import RuleScopes
from router.rules.compile import compile_match
from router.rules.condition import Condition, Truth, match
from router.rules.file.match_table import MatchTable
from router.rules.queue_index import RuleIndex, could_match
from router.rules.value_test import Value
from tests.builders.effort import scaled

QUEUES = {"Ab": "11111111-2222-4333-8444-555555555551", "Abc": "11111111-2222-4333-8444-555555555552", "b": "x-3"}
words = st.sampled_from(["", "a", "ab", "abc", "b", "1", "2.0", "10"])
globs = st.sampled_from(["*", "a*", "*b", "?", "a?c", "**", "?*"])
patterns = words | globs
some = st.lists(patterns, min_size=1, max_size=3)
numbers = st.sampled_from([0, 1, 1.5, 2, 10])


def ranges(ends: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    both = st.tuples(ends, ends).map(lambda pair: {"min": min(pair), "max": max(pair)})
    return ends.map(lambda low: {"min": low}) | ends.map(lambda high: {"max": high}) | both


texts = (
    patterns
    | some
    | (patterns | some).map(lambda value: {"not": value})
    | st.booleans().map(lambda value: {"present": value})
    | st.sampled_from(["a.*", ".*", "[0-9]+", ""]).map(lambda value: {"matches": value})
)
attributes = texts | numbers | ranges(numbers)
references = st.sampled_from([*QUEUES, *QUEUES.values(), "A*", "*", "*c", "Nowhere"])
queues = (
    references
    | st.lists(references, min_size=1, max_size=3)
    | references.map(lambda value: {"not": value})
    | st.sampled_from([{"present": True}, {"present": False}, {"matches": "Ab.*"}])
)
waits = ranges(st.sampled_from([timedelta(minutes=count) for count in (0, 5, 10)])) | st.just(timedelta(minutes=5))
channels = st.sampled_from(["TASK", "EMAIL", ["TASK", "EMAIL"], {"not": "TASK"}])
plain = st.fixed_dictionaries(
    {},
    optional={
        "channel": channels,
        "queue": queues,
        "waited": waits,
        "name": texts,
        "subtype": texts,
        "segment_attributes": st.fixed_dictionaries({"connect:Subtype": attributes}),
        "tags": st.fixed_dictionaries({"x": attributes}),
    },
).filter(bool)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=2)
    one = st.sampled_from(["any", "all", "none"])
    return st.tuples(inner, one, several).map(lambda parts: {**parts[0], parts[1]: parts[2]})


matches = st.recursive(plain, nested, max_leaves=4)


@dataclass(frozen=True)
class Contact:
    shown: dict[str, Value | None]

    def value(self, key: str) -> Value | None:
        return self.shown.get("segment_attributes.connect:Subtype" if key == "subtype" else key)


contacts = st.builds(
    Contact,
    st.fixed_dictionaries(
        {
            "channel": st.sampled_from(["TASK", "EMAIL"]),
            "queue": st.sampled_from(list(QUEUES.items())),
            "waited": st.sampled_from([timedelta(minutes=count) for count in (0, 3, 5, 7, 10, 30)]),
            "name": st.none() | words,
            "segment_attributes.connect:Subtype": st.none() | words,
            "tags.x": st.none() | words,
        }
    ),
)


def condition(table: dict[str, Any]) -> Condition:
    return compile_match(MatchTable.model_validate(table), (), lambda path: Place("r.toml", 1, 1))


def holds(one: Condition, contact: Contact) -> bool:
    return match(one, contact).truth is Truth.YES


TEXTS: list[Any] = ["", "a", "ab", "b", "*", "a*", "*b", "?", ["a", "b"], ["a", "a*"], ["ab", "*b"], ["a", "?", "*"]]
NOT: list[Any] = [{"not": value} for value in TEXTS]
OTHER: list[Any] = [{"present": True}, {"present": False}, {"matches": "a.*"}, {"matches": ".*"}]
RANGES: list[Any] = [0, 1, 2.0, {"min": 1}, {"max": 1}, {"min": 1, "max": 2}, {"min": 2}, {"min": 0, "max": 0.5}]
NAMED: list[Any] = [*list(QUEUES.values())[:2], "Ab", "*", "A*", ["Ab", "Abc"], ["Ab", QUEUES["Abc"]], ["A*", "b"]]
MINUTES = [timedelta(minutes=count) for count in range(12)]
KEYS: dict[str, tuple[list[Any], list[Any]]] = {
    "name": ([*TEXTS, *NOT, *OTHER], [None, "", "a", "ab", "b", "abc", "xyz"]),
    "tags": (
        [{"x": one} for one in [*TEXTS, *NOT, *OTHER, *RANGES, "1", "2"]],
        [None, "", "a", "ab", "b", "1", "2", "0.5"],
    ),
    "queue": ([*NAMED, *({"not": one} for one in NAMED), {"present": True}, {"matches": "A.*"}], [*QUEUES.items()]),
    "waited": (
        [
            MINUTES[5],
            {"min": MINUTES[5]},
            {"max": MINUTES[5]},
            {"min": MINUTES[3], "max": MINUTES[9]},
            {"min": MINUTES[6]},
        ],
        MINUTES,
    ),
    "channel": (["TASK", "EMAIL", ["TASK", "EMAIL"], {"not": "TASK"}], ["TASK", "EMAIL"]),
}


@pytest.mark.parametrize("key", KEYS)
def test_every_two_conditions_on_one_key_are_told_rightly(key):
    forms, values = KEYS[key]
    conditions = [condition({key: form}) for form in forms]
    for one, other in combinations(forms[:8], 2):
        conditions += [condition({inside: [{key: one}, {key: other}]}) for inside in ("any", "none")]
        conditions.append(condition({"any": [{"all": [{key: one}, {key: other}]}, {key: one}]}))
    seen = [Contact({"tags.x" if key == "tags" else key: value}) for value in values]
    held = [(one, [holds(one, contact) for contact in seen]) for one in conditions]
    prover, implied, excluded = Prover(), 0, 0
    assert not any(prover.impossible(one) and any(fits) for one, fits in held)
    for (one, first), (other, second) in product(held, repeat=2):
        both = list(zip(first, second, strict=True))
        if prover.implies(one, other):
            implied += one is not other
            assert not any(here and not there for here, there in both)
        if prover.excludes(one, other):
            excluded += 1
            assert not any(here and there for here, there in both)
    assert min(implied, excluded) > 0, "a prover that shows nothing is right too, and of no use"


@given(matches, matches, st.lists(contacts, min_size=1, max_size=30))
@settings(max_examples=scaled(400))
def test_what_is_implied_holds_wherever_the_first_does(first, second, seen):
    one, other = condition(first), condition(second)
    if Prover().implies(one, other):
        for contact in seen:
            assert holds(other, contact) or not holds(one, contact)


@given(matches, matches, st.lists(contacts, min_size=1, max_size=30))
@settings(max_examples=scaled(400))
def test_what_is_excluded_never_holds_together(first, second, seen):
    one, other = condition(first), condition(second)
    if Prover().excludes(one, other):
        for contact in seen:
            assert not (holds(one, contact) and holds(other, contact))


@given(matches, st.lists(contacts, min_size=1, max_size=30))
@settings(max_examples=scaled(400))
def test_what_is_impossible_never_holds(table, seen):
    one = condition(table)
    if Prover().impossible(one):
        assert not any(holds(one, contact) for contact in seen)


@given(matches, matches)
def test_every_condition_implies_itself_and_what_it_widens(first, second):
    assert Prover().implies(condition({"all": [first, second]}), condition({"any": [first]}))


@given(matches, contacts)
@example({"none": [{"queue": "Ab", "name": "a"}]}, Contact({"queue": ("Ab", "x"), "name": "b"}))
def test_a_contact_is_never_in_a_queue_that_could_not_match(table, contact):
    one = condition(table)
    names = contact.shown["queue"]
    assert isinstance(names, tuple)
    if holds(one, contact):
        assert could_match(one, names)


@dataclass(frozen=True)
class Conditional:
    condition: Condition


@given(st.lists(matches, max_size=6), contacts)
def test_the_index_finds_just_the_rules_that_contacts_of_a_queue_could_match(tables, contact):
    names = contact.shown["queue"]
    assert isinstance(names, tuple)
    rules = [Conditional(condition(table)) for table in tables]
    met = [place for place, rule in enumerate(rules) if could_match(rule.condition, names)]
    assert list(RuleIndex(rules).meeting(names)) == met


@given(matches, matches)
@settings(max_examples=scaled(400))
def test_a_contact_that_is_shown_to_fit_two_conditions_fits_both(first, second):
    one, other = condition(first), condition(second)
    found = common_contact(one, other, list(QUEUES))
    if found is not None:
        contact = Contact(dict(found))
        assert [holds(one, contact), holds(other, contact)] == [True, True]
        assert not Prover().excludes(one, other)


@given(st.lists(matches, min_size=2, max_size=6))
@settings(max_examples=scaled(200))
def test_the_scopes_leave_out_no_rule_that_overlaps_or_is_wider(tables):
    rules: Any = [Conditional(condition(table)) for table in tables]
    scopes, prover, last = RuleScopes(rules), Prover(), len(rules) - 1
    before, after = list(scopes.overlapping(last, after=False)), list(scopes.overlapping(0, after=True))
    wider = list(scopes.wider(last))
    for one in rules[1:]:
        assert one in after or common_contact(rules[0].condition, one.condition, list(QUEUES)) is None
    for one in rules[:last]:
        assert one in before or common_contact(one.condition, rules[last].condition, list(QUEUES)) is None
        assert (
            one in wider
            or prover.impossible(rules[last].condition)
            or not prover.implies(rules[last].condition, one.condition)
        )
