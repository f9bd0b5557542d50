"""Tests ``history`` and ``explain`` without AWS, on a real ledger."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from router.ledger import SqliteLedger
from router.model import (
    Action,
    ActionKind,
    ActionState,
    AgentId,
    ContactId,
    FirstAct,
    FlowId,
    Landing,
    QueueId,
    RoutingData,
    Target,
    WaitKey,
)

INSTANCE = "11111111-2222-3333-4444-555555555555"
NOW = datetime.now(UTC).replace(microsecond=0)


def move(contact_id="c1", *, ago=timedelta(hours=1), rule="late", target=None, **fields):
    at = NOW - ago
    queue = QueueId("q-billing")
    return Action(
        kind=ActionKind.TRANSFER,
        wait=WaitKey(ContactId(contact_id), at - timedelta(hours=2)),
        chain_id=ContactId(contact_id),
        contact_id=ContactId(contact_id),
        queue_id=queue,
        enqueued_at=at - timedelta(hours=2),
        rule=rule,
        step=2,
        at=timedelta(hours=1),
        first=FirstAct(clock_started_at=at - timedelta(hours=2), queue_id=queue, waited=timedelta(hours=2)),
        revision="abc",
        fingerprint="def",
        cycle=7,
        decided_at=at,
        target=target or Target(flow_id=FlowId("f-1"), queue_id=QueueId("q-overflow")),
        token=f"token-{contact_id}-{rule}",
        **fields,
    )


def settled(action, state=ActionState.ACTED, **fields):
    return replace(action, state=state, settled_at=action.decided_at + timedelta(seconds=1), **fields)


@pytest.fixture
def recorded(command):
    """Records four moves: landed, sent to an agent and not yet landed, refused, and one of another rule."""
    path = command.folder / "ledger.db"
    with SqliteLedger.open(path, instance_id=INSTANCE, now=NOW, keep=timedelta(days=120)) as ledger:
        done = settled(ledger.intend(move("c1", ago=timedelta(hours=30))), new_contact_id=ContactId("c1b"),
                       landing=Landing.PENDING, request_id="r-1", attempts=1)  # fmt: skip
        ledger.settle(done)
        ledger.land(settled(done, landing=Landing.QUEUED, landed_at=done.decided_at + timedelta(seconds=4)))
        agent = Target(flow_id=FlowId("f-2"), agent_id=AgentId("a-1"))
        sent = ledger.intend(move("c2", ago=timedelta(hours=20), target=agent))
        ledger.settle(settled(sent, landing=Landing.PENDING))
        refused = ledger.intend(move("c3", ago=timedelta(hours=10)))
        ledger.settle(settled(refused, ActionState.REFUSED, error="InvalidRequestException"))
        ledger.intend(move("c4", ago=timedelta(0), rule="other"))
    return command


def contacts(done):
    return [one["contact_id"] for one in json.loads(done.out)]


def test_history_shows_what_was_done_and_what_came_of_it_newest_last(recorded):
    done = recorded("history", "--ids")

    rows = [line.rstrip().split("  ") for line in done.out.splitlines()]
    assert (done.status, done.err) == (0, "")
    assert [row[-1].strip() for row in rows[1:]] == [
        "queued after 3s", "pending", "refused (InvalidRequestException)", "outcome not known yet",
    ]  # fmt: skip
    assert "q-billing -> q-overflow" in done.out
    assert "q-billing -> agent a-1" in done.out


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], ["c1", "c2", "c3", "c4"]),
        (["c1"], ["c1"]),
        (["c1b"], ["c1"]),
        (["--rule", "other"], ["c4"]),
        (["--since", "15h"], ["c3", "c4"]),
        (["--until", "15h"], ["c1", "c2"]),
        (["--since", (NOW - timedelta(hours=20)).isoformat(), "--until", "5h"], ["c2", "c3"]),
        (["--outcome", "refused"], ["c3"]),
        (["--outcome", "queued"], ["c1"]),
        (["--outcome", "intended"], ["c4"]),
        (["--limit", "2"], ["c3", "c4"]),
        (["--limit", "0"], ["c1", "c2", "c3", "c4"]),
    ],
)
def test_history_filters(recorded, filters, found):
    done = recorded("history", "--json", *filters)

    assert (done.status, contacts(done)) == (0, found)


def test_history_works_while_the_service_holds_the_ledger(recorded):
    path = recorded.folder / "ledger.db"
    with SqliteLedger.open(path, instance_id=INSTANCE, now=NOW, keep=timedelta(days=120)):
        assert len(contacts(recorded("history", "--json"))) == 4


def test_history_without_a_ledger_says_so_and_makes_none(command):
    done = command("history")

    assert (done.status, done.out) == (0, "")
    assert done.err == "ledger.db: there is no ledger yet; nothing was done\n"
    assert not (command.folder / "ledger.db").exists()
    assert command("history", "--json").out == "[]\n"


def test_history_of_nothing_that_fits_says_so(recorded):
    done = recorded("history", "--rule", "none")

    assert (done.status, done.out, done.err) == (0, "", "nothing recorded that fits\n")


def test_a_ledger_that_is_none_is_one_line(command):
    (command.folder / "ledger.db").write_bytes(b"x" * 4096)

    done = command("history")

    assert done.status == 2
    assert done.err.startswith("connect-router: ledger.db: damaged, or not a ledger")
    assert len(done.err.splitlines()) == 1


def test_explain_tells_what_the_ledger_knows_where_connect_cannot_be_reached(recorded, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    known, unknown = recorded("explain", "c1b"), recorded("explain", "nobody")
    unrecorded = recorded("history", "nobody", "--json")

    assert known.status == 0
    assert known.err.startswith("connect-router: no AWS credentials")
    assert known.err.endswith("from the ledger alone:\n")
    assert "late, step 2: q-billing -> q-overflow, queued after 3s" in known.out
    assert unknown.status == 1
    assert unknown.err.endswith("nothing is known of contact nobody\n")
    assert (unrecorded.status, unrecorded.out) == (1, "[]\n")
    assert "no AWS credentials" in unrecorded.err
    assert unrecorded.err.endswith("from the ledger alone:\nnothing is recorded of contact nobody\n")


def bump(contact_id, routing, **fields):
    built = move(contact_id, ago=timedelta(minutes=20), **fields)
    before = RoutingData(priority=5, age=timedelta())
    kind = ActionKind.ROUTING if built.parent is None else ActionKind.RESTORE_PLACE
    return replace(built, kind=kind, target=None, token=None, routing=routing, before=before)


def test_history_tells_what_was_set_of_a_contact_s_place_and_what_it_had(command):
    path = command.folder / "ledger.db"
    with SqliteLedger.open(path, instance_id=INSTANCE, now=NOW, keep=timedelta(days=120)) as ledger:
        ledger.record(bump("c1", RoutingData(priority=2)))
        ledger.record(bump("c2", RoutingData(age=timedelta(minutes=10))))
        ledger.record(bump("c3", None))
        given = RoutingData(age=timedelta(hours=2))
        moved = ledger.record(move("c4", ago=timedelta(minutes=5)))
        ledger.record(bump("c4", given, parent=moved.id, landed_queue_id=QueueId("q-overflow")))

    told = command("history", "--ids").out
    first, second, third, moved, restored = json.loads(command("history", "--json").out)

    for did in ("routing in q-billing: priority 2", "routing in q-billing: age 10m", "routing in q-billing: as good"):
        assert did in told
    assert first["routing"] == {"priority": 2, "age_s": None}
    assert first["routing_before"] == {"priority": 5, "age_s": 0.0}
    assert second["routing"] == {"priority": None, "age_s": 600.0}
    assert (third["routing"], third["outcome"], third["parent"]) == (None, "acted", None)
    assert (moved["routing"], moved["parent"]) == (None, None)
    assert "restore_place in q-overflow: age 2h" in told
    assert (restored["kind"], restored["outcome"], restored["parent"]) == ("restore_place", "acted", moved["id"])
    assert restored["routing"] == {"priority": None, "age_s": 7200.0}


def test_without_aws_ids_are_printed_and_a_note_reports_why(recorded, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "of-nobody")

    done = recorded("history")

    assert done.status == 0
    assert "q-billing -> q-overflow" in done.out
    assert done.err.endswith("; ids instead of names:\n")
    assert "of-nobody" in done.err


def test_the_first_characters_of_an_id_are_enough(recorded):
    whole, begun = recorded("history", "--json", "c1"), recorded("history", "c", "--ids")

    assert json.loads(whole.out)
    assert begun.status == 2
    assert begun.err.startswith("connect-router: several contact ids begin with 'c': c1, ")
