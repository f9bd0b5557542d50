"""Tests how the first characters of a contact id are completed."""

from datetime import UTC, datetime, timedelta

import pytest

from router.ledger import SqliteLedger
from router.lookup.id_prefix import AmbiguousId, whole_id
from router.model import Action, ActionKind, ContactId, FirstAct, QueueId, WaitKey

AT = datetime(2026, 11, 23, tzinfo=UTC)
MOVED = "93d544be-eeee-4355-af02-14835508e050"
WAITING = "93d5ffff-eeee-4355-af02-14835508e050"


@pytest.fixture
def ledger():
    """Holds one record, a warning about ``MOVED``."""
    wait = WaitKey(ContactId(MOVED), AT)
    with SqliteLedger.in_memory(instance_id="i") as opened:
        opened.record(
            Action(
                kind=ActionKind.WARN, wait=wait, chain_id=wait.wait_id, contact_id=wait.wait_id, queue_id=QueueId("q"),
                enqueued_at=AT, rule="r", step=1, at=timedelta(), revision="a", fingerprint="b", cycle=1, decided_at=AT,
                first=FirstAct(clock_started_at=AT, queue_id=QueueId("q"), waited=timedelta()),
            )
        )  # fmt: skip
        yield opened


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        ("93d544be", MOVED),
        ("93d54", MOVED),
        ("93d5f", WAITING),
        (MOVED, MOVED),
        ("aaaa", "aaaa"),
        (MOVED[:-1] + "1", MOVED[:-1] + "1"),
    ],
)
def test_a_unique_beginning_is_completed_and_everything_else_stays(ledger, begun, found):
    assert whole_id(ContactId(begun), ledger, [WAITING]) == found


def test_an_ambiguous_beginning_names_the_candidates(ledger):
    with pytest.raises(AmbiguousId) as caught:
        whole_id(ContactId("93d5"), ledger, [WAITING])

    assert str(caught.value) == f"several contact ids begin with '93d5': {MOVED}, {WAITING}"


def test_of_many_candidates_five_are_named(ledger):
    with pytest.raises(AmbiguousId) as caught:
        whole_id(ContactId("a"), ledger, [f"a{number}" for number in range(9)])

    assert str(caught.value) == "several contact ids begin with 'a': a0, a1, a2, a3, a4, …"
