"""Checks the sentences of events: what is missing leaves no gap, and long lists stay short."""

import pytest

from router.events import add_message, message_of

CONTACT = {"contact_id": "8a86387f-6757-4342-97d3-c89b151d1f66", "channel": "TASK", "rule": "r", "step": None}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"event": "contact.held", "queue": "Q", "reason": "excluded", "late_s": None, "detail": "", **CONTACT},
         "TASK 8a86387f: held in Q: excluded, rule r"),
        ({"event": "contact.broken", "contact_id": "8a86387f-6757", "channel": None, "exception": "KeyError"},
         "8a86387f: a bug at this contact: KeyError"),
        ({"event": "contact.broken", "exception": "KeyError", "message": "'x'", **CONTACT},
         "TASK 8a86387f: a bug at this contact, rule r: KeyError: 'x'"),
        ({"event": "contact.landed", "landing": "ended", "after_s": 61.0, **CONTACT},
         "TASK 8a86387f: ended after 1m1s, rule r"),
        ({"event": "contact.landed", "landing": "answered", "after_s": 1.0, **CONTACT},
         "TASK 8a86387f: answered by an agent after 1s, rule r"),
        ({"event": "contact.reprioritized", "queue": "Q", "changed": False, "priority": 1, "late_s": 0.0, **CONTACT},
         "TASK 8a86387f: in Q: its place is as good already, 0s late, rule r"),
        ({"event": "contact.warned", "queue": "Q", "text": "soon", "late_s": 61.0, **CONTACT},
         "TASK 8a86387f: in Q: soon, 1m1s late, rule r"),
        ({"event": "contact.warned", "queue": "Q", "text": "Q waits, 1m1s over", "late_s": 61.0, **CONTACT},
         "TASK 8a86387f: Q waits, 1m1s over, rule r"),
        ({"event": "contact.warned", "queue": "Q", "text": "Q waits 11m1s", "late_s": -61.0, **CONTACT},
         "TASK 8a86387f: Q waits 11m1s, 1m1s left, rule r"),
        ({"event": "rules.rejected", "errors": ["a:1:1: x", "b", "c"]},
         "the rules were refused, and the old ones stay in force: a:1:1: x, and 2 more"),
        ({"event": "api.denied", "error": "E", "message": "m"}, "reading the instance was denied: E: m"),
        ({"event": "rules.loaded", "count": 1, "revision": "r"}, "1 rule loaded, revision r"),
        ({"event": "rules.loaded", "count": 0, "revision": "r"}, "0 rules loaded, revision r"),
        ({"event": "rules.loaded", "revision": "r"}, " rules loaded, revision r"),
        ({"event": "not.known"}, "not.known"),
    ],
)  # fmt: skip
def test_a_sentence_has_the_parts_that_are_known(event, message):
    assert message_of(event) == message
    assert add_message(None, "", dict(event)) == {**event, "message": message}


@pytest.mark.parametrize(("kind", "act"), [("transfer", "move"), ("routing", "routing update")])
def test_a_failure_and_its_recovery_name_the_kind_of_call(kind, act):
    contact = {"contact_id": "c1", "channel": "TASK", "rule": "late", "step": 1, "kind": kind}
    failed = message_of({"event": "contact.failed", "error": "InternalServiceException", **contact})
    assert failed == f"TASK c1: the {act} failed, rule late step 1: InternalServiceException"
    recovered = message_of({"event": "contact.recovered", "outcome": "acted", **contact})
    assert recovered == f"TASK c1: the {act} without a clear response is settled: acted, rule late step 1"
