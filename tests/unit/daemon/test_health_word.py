"""Tests the word for the health of the service: the worst state that applies, with its reason."""

import json
import re
from pathlib import Path

import pytest

from router.daemon.health_word import STATES, health_of

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
WELL: dict[str, object] = {"oldest_breach_s": None, "drain_s": None, "pauses": [], "held": {}, "late_reasons": {}}
REFUSAL = "AWS refuses the credentials, and no call is made"
REFUSED = {"at": "2026-11-23T03:11:34Z", "errors": ["rules/10-late.toml:1:1: no"]}


@pytest.fixture
def status():
    [sample] = [one for one in re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S) if '"silent_s"' in one]
    status = json.loads(sample)
    return {**status, **WELL, "queues": [{**queue, "late": 0} for queue in status["queues"]]}


def test_without_trouble_the_service_is_well(status):
    assert health_of(status) == {
        "word": "well",
        "reason": "46 of 123 waiting contacts have a promise, and none is late",
    }


@pytest.mark.parametrize(
    ("changes", "word", "reason"),
    [
        ({"healthy": False, "silent_s": 75.0}, "failing", "no complete cycle for 1m15s"),
        (
            {"healthy": False, "credentials_refused": True},
            "failing",
            REFUSAL,
        ),
        ({"ledger": {"error": "full"}}, "failing", "the ledger cannot be read or written: full"),
        ({"state": "starting"}, "starting", "the instance has not replied yet"),
        ({"state": "starting", "unread": "X: y"}, "starting", "the instance cannot be read: X: y"),
        ({"state": "starting", "unread": "X: y", "healthy": False}, "failing", "the instance cannot be read: X: y"),
        ({"cycle": None}, "starting", "the first look at the instance has not ended"),
        ({"state": "stopping"}, "stopping", "it finishes its calls"),
        ({"mode": "standby", "lease": {"holder": "b"}}, "standby", "b is active"),
        ({"mode": "standby", "lease": {"holder": None}}, "standby", "no active router is known"),
        ({"suspended_flows": ["F"]}, "degraded", "suspended flows: F"),
        ({"strays": 2}, "degraded", "2 moved and did not land"),
        ({"silent_s": 7.0}, "degraded", "the search has been incomplete for 7s"),
        ({"pauses": [{"what": "rule"}, {"what": "all", "who": "root", "comment": "x"}]}, "paused", "by root: x"),
        ({"drain_s": 90.0}, "behind", "more is due than limits and quotas let through: 1m30s to drain"),
    ],
)
def test_each_trouble_has_its_word_and_its_reason(status, changes, word, reason):
    assert health_of({**status, **changes}) == {"word": word, "reason": reason}


@pytest.mark.parametrize(
    ("late", "oldest_s", "reason"),
    [
        (9, 60.0, "9 contacts are past their promise, the oldest by 1m"),
        (1, 60.0, "one contact is past its promise, the oldest by 1m"),
        # The rules are done with these, and yet they wait.
        (9, None, "9 contacts are past their promise"),
    ],
)
def test_a_contact_that_waits_past_its_promise_is_late_even_where_the_rules_are_done_with_it(
    status, late, oldest_s, reason
):
    queues = [{**status["queues"][0], "late": late}, *status["queues"][1:]]

    assert health_of({**status, "queues": queues, "oldest_breach_s": oldest_s}) == {"word": "late", "reason": reason}


def test_the_reasons_are_those_of_the_late_contacts_and_a_pause_does_not_hide_them(status):
    late = {"queues": [{**status["queues"][0], "late": 9}], "oldest_breach_s": 60.0, "held": {"cooldown": 40}}
    late["late_reasons"] = {"no_step_left": 3, "cooldown": 6}
    paused = {"pauses": [{"what": "all", "who": "root", "comment": "x"}]}
    reason = "9 contacts are past their promise, the oldest by 1m; cooldown 6, no_step_left 3"

    assert health_of({**status, **late}) == {"word": "late", "reason": reason}
    assert health_of({**status, **late, **paused}) == {"word": "paused", "reason": f"by root: x; {reason}"}


def test_the_rules_count_too(status):
    refused = {**status["rules"], "refused": REFUSED}
    unresolved = {**status["rules"], "unresolved": ["no queue X"]}

    reason = health_of({**status, "rules": refused})["reason"]
    assert reason.startswith("the last reload was refused; correct the files and reload again: rules/10-late")
    assert health_of({**status, "rules": unresolved}) == {"word": "degraded", "reason": "no queue X"}
    assert health_of({**status, "rules": {**status["rules"], "last_good": True}})["word"] == "degraded"


def test_the_worst_state_wins_and_the_page_names_every_word(status):
    worst = {"ledger": {"error": "full"}, "state": "stopping", "drain_s": 1.0}

    assert health_of({**status, **worst})["word"] == "failing"
    rows = PAGE.partition("| word | meaning |")[2].partition("\n\n")[0]
    assert set(re.findall("`([A-Z]+)`", rows)) == {"WELL", *(word.upper() for word, _ in STATES)}
