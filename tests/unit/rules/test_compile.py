"""Makes rules of tables: defaults, lists, tiers, times on the clock, fingerprints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from router.rules.compile import Compiler
from router.rules.condition import tests_of as conditions_of
from router.rules.file.destination_table import DestinationTable
from router.rules.file.match_table import MatchTable
from router.rules.file.rule_table import RuleFile
from router.rules.load import parse_rules
from router.rules.rule import DestinationEntry, MetricLimit, Mode, Pick, Place, Routing, Rule, RuleGuard
from router.toml_source import TomlSource

MINUTE = timedelta(minutes=1)
PLACE = Place("r.toml", 1, 1)
HEAD = '[[rule]]\nname = "r"\nmatch.queue = "Billing"\n'
STEP = '[[rule.step]]\nat = "10m"\nto = [{ queue = "General", flow = "F" }]\n'


def rule_of(text: str) -> Rule:
    return parse_rules([("r.toml", text.encode())]).rules[0]


def test_a_rule_without_steps_is_an_exclusion_rule():
    assert rule_of(HEAD).excludes


def test_defaults_stand_in_for_what_the_rule_leaves_out():
    defaults = (
        '[defaults]\nflow = "F"\nagent_flow = "E"\npick = "most-slots"\nmode = "observe"\n'
        'guard = { per_hour = 9, cooldown = "1m" }\n'
    )
    rule = rule_of(defaults + HEAD + '[[rule.step]]\nat = "10m"\nto = [{ queue = "A" }, { agent = "b" }]\n')
    assert rule.mode is Mode.OBSERVE
    assert rule.steps[0].pick is Pick.MOST_SLOTS
    assert [entry.flow for entry in rule.steps[0].entries] == ["F", "E"]
    assert rule.guard == RuleGuard(per_hour=9, cooldown=MINUTE)


def test_what_the_rule_says_itself_wins_key_by_key():
    defaults = (
        '[defaults]\nflow = "F"\npick = "most-slots"\nmode = "observe"\nguard = { per_hour = 9, cooldown = "1m" }\n'
    )
    own = 'mode = "off"\nguard = { per_hour = 3 }\n'
    step = '[[rule.step]]\nat = "10m"\npick = "first"\nto = [{ queue = "A", flow = "own" }]\n'
    rule = rule_of(defaults + HEAD + own + step)
    assert rule.mode is Mode.OFF
    assert rule.steps[0].pick is Pick.FIRST
    assert rule.steps[0].entries[0].flow == "own"
    assert rule.guard == RuleGuard(per_hour=3, cooldown=MINUTE)


def test_the_long_form_of_to_is_the_same():
    long = '[[rule.step]]\nat = "10m"\n[[rule.step.to]]\nqueue = "General"\nflow = "F"\n'
    one, other = rule_of(HEAD + STEP), rule_of(HEAD + long)
    assert one.fingerprint == other.fingerprint
    assert [entry.queue for entry in other.steps[0].entries] == ["General"]


def test_tiers_stay_apart_and_a_plain_list_is_one_tier():
    tiers = '[[rule.step]]\nat = "10m"\nto = [[{ queue = "A" }, { queue = "B" }], [{ queue = "C" }]]\n'
    rule = rule_of('[defaults]\nflow = "F"\n' + HEAD + tiers)
    assert [[entry.queue for entry in tier] for tier in rule.steps[0].to] == [["A", "B"], ["C"]]
    assert len(rule_of(HEAD + STEP).steps[0].to) == 1


def test_a_named_list_stands_for_its_destinations_at_their_own_place():
    text = '[lists]\ntail = [{ queue = "S", flow = "F" }]\n' + HEAD + '[[rule.step]]\nat = "10m"\nto = "tail"\n'
    entry = rule_of(text).steps[0].entries[0]
    assert (entry.queue, str(entry.place)) == ("S", "r.toml:2:9")


def test_limits_keep_both_ends_and_ages_are_durations():
    to = '{ queue = "A", flow = "F", slots_available = { min = 1 }, oldest_contact_age = { max = "1h" } }'
    rule = rule_of(HEAD + f'[[rule.step]]\nat = "10m"\nto = [{to}]\n')
    assert rule.steps[0].entries[0].limits == (
        MetricLimit("slots_available", 1, None),
        MetricLimit("oldest_contact_age", None, 60 * MINUTE),
    )


@pytest.mark.parametrize(
    ("entry", "unconditional"),
    [
        ('{ queue = "A", flow = "F" }', True),
        ('{ queue = "A", flow = "F", shorter_wait = true }', False),
        ('{ queue = "A", flow = "F", slots_available = { min = 0 } }', False),
        ('{ agent = "a", flow = "F" }', False),
        ('{ agent = "a", flow = "F", require_available = false }', True),
    ],
)
def test_an_entry_without_conditions_is_a_last_resort(entry, unconditional):
    rule = rule_of(HEAD + f'[[rule.step]]\nat = "10m"\nto = [{entry}]\n')
    assert rule.steps[0].entries[0].unconditional is unconditional


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("15m", 15 * MINUTE),
        ("0s", 0 * MINUTE),
        ("50%", 120 * MINUTE),
        ("0.5%", timedelta(seconds=72)),
        ("150%", 360 * MINUTE),
        ("breach", 240 * MINUTE),
        ("breach - 30m", 210 * MINUTE),
        ("breach-30m", 210 * MINUTE),
        ("breach + 1h", 300 * MINUTE),
        ("breach - 4h", 0 * MINUTE),
    ],
)
def test_steps_stand_on_the_clock_where_at_says(at, expected):
    step = rule_of(HEAD + f'sla.target = "4h"\n[[rule.step]]\nat = "{at}"\nwarn = "x"\n').steps[0]
    assert (step.at, step.label) == (expected, at)


def test_a_warning_may_share_its_time_with_a_move():
    rule = rule_of(HEAD + STEP + '[[rule.step]]\nat = "10m"\nwarn = "x"\n')
    assert [step.at for step in rule.steps] == [10 * MINUTE, 10 * MINUTE]


def test_times_keep_their_instant():
    rule = rule_of(HEAD.replace("match", "from = 2026-01-01T00:00:00+02:00\nmatch"))
    assert rule.from_at == datetime(2025, 12, 31, 22, tzinfo=UTC)


SAID = HEAD + 'sla.target = "4h"\n' + STEP


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n\n" + SAID,
        SAID.replace('"10m"', '"600s"'),
        SAID.replace("sla.target", 'description = "why"\nsla.target'),
        SAID.replace("sla.target", 'mode = "enforce"\nsla.target'),
        SAID.replace('flow = "F"', 'flow = "F", revisit = false'),
        '[defaults]\nflow = "F"\n' + SAID.replace(', flow = "F"', ""),
        '[lists]\nl = [{ queue = "General", flow = "F" }]\n'
        + SAID.replace('[{ queue = "General", flow = "F" }]', '"l"'),
        SAID.replace('match.queue = "Billing"', 'match = { queue = "Billing" }'),
    ],
)
def test_the_fingerprint_is_of_what_a_rule_says_not_of_how(same):
    assert rule_of(same).fingerprint == rule_of(SAID).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        SAID.replace('"10m"', '"11m"'),
        SAID.replace('"4h"', '"5h"'),
        SAID.replace("Billing", "Claims"),
        SAID.replace("General", "Claims"),
        SAID.replace('"F"', '"G"'),
        SAID.replace('flow = "F"', 'flow = "F", revisit = true'),
        SAID.replace('flow = "F"', 'flow = "F", contacts_in_queue = { max = 3 }'),
        SAID.replace("sla.target", "guard.per_hour = 3\nsla.target"),
        SAID.replace("sla.target", 'mode = "observe"\nsla.target'),
        SAID.replace("sla.target", "until = 2030-01-01T00:00:00Z\nsla.target"),
        SAID + 'warn = "x"\n',
        SAID + 'pick = "weighted"\n',
        '[defaults]\nguard.cooldown = "1m"\n' + SAID,
    ],
)
def test_the_fingerprint_changes_with_what_a_rule_says(other):
    assert rule_of(other).fingerprint != rule_of(SAID).fingerprint


def test_routing_is_compiled_whether_or_not_this_version_evaluates_it():
    text = HEAD + '[[rule.step]]\nat = "10m"\nrouting = { age = "+10m" }\n'
    source = TomlSource.parse("r.toml", text.encode())
    document = RuleFile.model_validate(source.data)
    compiler = Compiler(source=source, defaults=document.defaults, lists={}, problems=[])
    assert compiler.rule(document.rule[0], 0).steps[0].routing == Routing(age=10 * MINUTE)


WRITTEN = {
    "channel": '"TASK"',
    "waited": '"1h"',
    "age": '"1h"',
    "segment_attributes": '{ key = "a" }',
    "tags": '{ key = "a" }',
    "attributes": '{ key = "a" }',
    "priority": "1",
    "transfers": "1",
    "hours": '{ name = "Office", is = "open" }',
    "any": '[{ queue = "a" }]',
    "all": '[{ queue = "a" }]',
    "none": '[{ queue = "a" }]',
}


@pytest.mark.parametrize("key", [field.rstrip("_") for field in MatchTable.model_fields])
def test_every_key_of_match_becomes_a_test(key: str) -> None:
    written = WRITTEN.get(key, '"a"')
    (test,) = conditions_of(rule_of(f'[[rule]]\nname = "one"\n[rule.match]\n{key} = {written}\n').condition)
    assert test.key.partition(".")[0] == (key if key not in ("any", "all", "none") else "queue")


ENTRIES = {
    "agent": '{ agent = "other" }',
    "agent_from": '{ agent_from = "attributes.last" }',
    "flow": '{ queue = "A", flow = "Another" }',
    "open": '{ queue = "A", open = true }',
    "shorter_wait": '{ queue = "A", shorter_wait = true }',
    "require_available": '{ agent = "ann", require_available = false }',
    "revisit": '{ queue = "A", revisit = true }',
    "weight": '{ queue = "A", weight = 3 }',
    "queue": '{ queue = "B" }',
}


@pytest.mark.parametrize("key", DestinationTable.model_fields)
def test_every_key_of_a_destination_changes_what_it_is(key: str) -> None:
    duration = key in ("oldest_contact_age", "estimated_wait_time")
    limit = '{ max = "5m" }' if duration else "{ max = 5 }"
    entry = ENTRIES.get(key, f'{{ queue = "A", {key} = {limit} }}')
    plain = '{ agent = "ann" }' if "agent" in entry else '{ queue = "A" }'
    assert replace(_entry(entry), place=PLACE) != replace(_entry(plain), place=PLACE)


def _entry(written: str) -> DestinationEntry:
    return (
        rule_of(
            f"""
        [defaults]
        flow = "F"
        agent_flow = "G"
        [[rule]]
        name = "one"
        match.queue = "Q"
        [[rule.step]]
        at = "1h"
        to = [{written}]
        """
        )
        .steps[0]
        .to[0][0]
    )
