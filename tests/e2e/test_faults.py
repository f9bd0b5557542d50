"""Checks that docs/faults.md is true: every fault of every operation does what is in its cell and nothing else."""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from router.connect.quotas import DEFAULT_RATES
from router.daemon.startup import InstanceWait
from router.model import HoldReason
from tests.e2e.faulty import HANGING, NEVER, OPERATIONS, PAGED, WAITING, through_faults

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
CHANGING = ("TransferContact", "UpdateContactRoutingData")
BEFORE = ("500", "503", "time-out before", "reset before")
AFTER = ("time-out after", "reset after", "cut off", "garbage")
COLUMNS: dict[str, tuple[str, ...]] = {
    "fails": (*BEFORE, "cut off", "garbage"),
    "throttled": ("throttle",),
    "denied": ("denied",),
    "credentials": ("expired", "unknown client"),
    "not found": ("not found",),
    "pages": PAGED,
}
"""What a call that changes nothing did before it broke off is all the same."""
LOST = "fails after it has taken effect"
"""The row's second name, of the calls that change something."""

EVERYTHING = {"SearchContacts", "DescribeContact", "TransferContact"}
"""Nothing is moved without them."""
CONCERNS = {
    "DescribeContact": "details",
    "SearchContacts": "details",
    "ListAssociatedContacts": "chain",
    "GetCurrentMetricData": "metrics",
    "GetCurrentUserData": "agent",
    "ListAgentStatuses": "agent",
    "ListRoutingProfileQueues": "agent",
    "DescribeHoursOfOperation": "hours",
    "GetEffectiveHoursOfOperations": "hours",
    "UpdateContactRoutingData": "bump",
}
GIVEN_UP = {("TransferContact", "not found"), ("UpdateContactRoutingData", "not found")}
"""Refused for good: not tried again by itself."""
NONE = "—"


def table():
    """Returns of each row its cells by column."""
    rows = re.findall(r"^\| (?!operation|---)(.+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    cells = [[cell.strip() for cell in row.split(" | ")] for row in rows]
    return {row[0].replace("`", ""): dict(zip(COLUMNS, row[2:], strict=True)) for row in cells}


TABLE = table()


def waits():
    for row, cells in TABLE.items():
        operation, _, lost = row.partition(" ")
        for column, cell in cells.items():
            faults = COLUMNS[column]
            if column == "fails" and operation in CHANGING:
                yield from ((operation, (fault,), cell) for fault in (AFTER if lost else BEFORE))
            elif cell != NONE:
                yield operation, faults, cell


def test_the_page_has_every_operation_that_the_router_calls():
    assert list(TABLE) == [
        name for one in OPERATIONS for name in ([one, f"{one} {LOST}"] if one in CHANGING else [one])
    ]
    unused = {"DescribeInstance", "DescribeQueue", "GetContactAttributes", "StopContact"}
    unused |= {"SearchRoutingProfiles"}  # changes no hold, and has tests of its own: test_cross_channel.py
    unused |= {"DescribeContactFlow"}  # only `check --live` calls it: test_flow_content.py
    assert set(DEFAULT_RATES) - set(OPERATIONS) <= unused


def spans(cell):
    found = set(re.findall(r"`([a-z_.]+)`", cell))
    events = {one for one in found if "." in one}
    assert found - events <= set(HoldReason)
    return found - events, events


@pytest.mark.parametrize(("operation", "faults", "cell"), list(waits()), ids=str)
def test_what_a_fault_does_is_what_its_cell_says(tmp_path, monkeypatch, operation, faults, cell):
    """Makes the faults of one column, one after the other; the router meets a lasting fault at least twice."""
    waiting = dict.fromkeys(["plain", CONCERNS.get(operation, "plain")])
    reasons, events = spans(cell)
    with through_faults(tmp_path, monkeypatch, waiting=waiting, hanging=not {*HANGING}.isdisjoint(faults)) as router:
        for fault in faults:
            router.mend()
            router.fault(operation, fault)
            router.cycles(2 if len(faults) < 3 else 1)
        if operation == "ListAssociatedContacts":
            router.cycles(1)

        assert router.held() == reasons
        assert {line["event"] for line in router.alarms()} == events
        assert repeated(router.alarms()) == []
        if operation not in EVERYTHING:
            assert "plain" in router.acted_on()

        router.mend()
        calls = len(router.sandbox.calls)
        router.clock.travel(timedelta(minutes=5, seconds=1))
        router.cycles(2)

        given_up = {CONCERNS.get(operation, "plain")} if (operation, faults[0]) in GIVEN_UP else set()
        assert router.acted_on() == sorted({*waiting} - given_up)
        answered = {call.operation for call in router.sandbox.calls[calls:]}
        told = {"api.failing", "api.denied", "search.degraded"} & events
        ended = [line["operation"] for line in router.said("api.recovered")]
        # Refused credentials stop every call before one operation has failed often enough for a line of its own.
        few = (operation, faults[0]) == ("DescribeContact", "expired")
        expected = told and not few and operation in answered and operation not in CHANGING
        assert ended == ([operation] if expected else [])
        assert [line for line in router.lines if line["event"] in NEVER or line.get("exc_info")] == []


def repeated(lines):
    """Returns lines that repeat an earlier one."""
    said = Counter(str(sorted((name, str(value)) for name, value in line.items() if name != "cycle")) for line in lines)
    return [line for line, count in said.items() if count > 1]


@pytest.mark.parametrize(("fault", "cycles"), [("slow", 3), ("skew", 6)])
def test_an_answer_that_is_slow_or_has_a_date_of_its_own_is_an_answer(tmp_path, monkeypatch, fault, cycles):
    """Gives the fault to the first two responses of each operation.

    A wrong date holds until the next response. The operations meet their wrong dates in different cycles.
    """
    with through_faults(tmp_path, monkeypatch) as router:
        for operation in OPERATIONS:
            router.fault(operation, fault, count=2)
        router.cycles(cycles)

        assert router.acted_on() == sorted(WAITING)
        assert {line["event"] for line in router.alarms()} <= {"clock.skew"}


def test_when_all_answers_are_dated_seven_minutes_off_nothing_is_moved_until_they_are_not(tmp_path, monkeypatch):
    with through_faults(tmp_path, monkeypatch) as router:
        router.fault(None, "skew")
        router.cycles(3)

        assert router.acted_on() == []
        assert router.held() == {"clock_skew"}
        assert [(line["log_level"], line["stops"]) for line in router.said("clock.skew")] == [("error", True)]

        router.mend()
        router.cycles(2)
        assert router.acted_on() == sorted(WAITING)
        assert [(line["log_level"], line["stops"]) for line in router.said("clock.skew")[1:]] == [("warning", False)]


@pytest.mark.parametrize(
    "fault", ["500", "throttle", "denied", "expired", "not found", "garbage", "reset after", "cut off"]
)
def test_when_no_call_is_answered_nothing_is_moved_and_nothing_is_lost(tmp_path, monkeypatch, fault):
    """Makes all operations fail at once: the instance, the network, AWS or the credentials are gone."""
    with through_faults(tmp_path, monkeypatch, waiting=["plain", "hours"]) as router:
        router.cycles(1)
        late = router.sandbox.world.enqueue("TASK", "Billing", waited=timedelta(hours=3))
        router.contacts["late"] = late
        router.fault(None, fault)
        router.cycles(3)

        assert router.acted_on() == ["hours", "plain"]
        assert repeated(router.alarms()) == []
        assert len(router.alarms()) >= 1

        router.mend()
        router.clock.travel(timedelta(minutes=5, seconds=1))
        router.cycles(2)
        assert router.acted_on() == ["hours", "late", "plain"]
        assert "SearchContacts" in [line["operation"] for line in router.said("api.recovered")]
        assert router.said("contact.stray") == []
        assert [line for line in router.lines if line["event"] in NEVER] == []


@pytest.mark.parametrize("operation", ["ListQueues", "ListContactFlows", "ListUsers", "SearchQueues"])
@pytest.mark.parametrize(("fault", "event"), [("500", "search.degraded"), ("denied", "api.denied")])
def test_at_the_start_the_service_waits_for_the_names_and_says_so_once(tmp_path, monkeypatch, operation, fault, event):
    with through_faults(tmp_path, monkeypatch, waiting=["plain"]) as router:
        names, tell = router.app.names, InstanceWait(router.app).log_failure
        router.fault(operation, fault)
        failure = names.load()
        assert failure is not None
        for _ in range(5):
            again = names.load()
            assert again is not None
            assert again.code == failure.code
            tell(failure, retry_in=1.0)
        waits = [line for line in router.said(event) if "retry_in_s" in line]
        assert len(waits) == 1
        router.clock.travel(timedelta(minutes=5, seconds=1))
        tell(failure, retry_in=30.0)
        assert len([line for line in router.said(event) if "retry_in_s" in line]) == 2

        router.mend()
        assert names.load() is None
        assert [line["operation"] for line in router.said("api.recovered")] == [operation]


@pytest.mark.parametrize("fault", ["500", "throttle", "expired", "reset before", "reset after", "cut off"])
def test_a_place_that_could_not_be_given_back_at_once_is_given_later_and_once(tmp_path, monkeypatch, fault):
    with through_faults(tmp_path, monkeypatch, waiting=["plain"]) as router:
        router.fault("UpdateContactRoutingData", fault)
        router.cycles(2)
        assert router.acted_on() == ["plain"]
        assert router.said("contact.place_kept") == []

        router.mend()
        router.clock.travel(timedelta(minutes=5, seconds=1))
        router.cycles(2)
        moved = router.sandbox.world.latest(router.contacts["plain"])
        assert moved.adjustment >= timedelta(hours=2)
        assert moved.adjustment < timedelta(hours=3)
        assert router.said("contact.place_lost") == []


@pytest.mark.parametrize("fault", ["500", "throttle", "denied", "expired", "not found", "garbage", "reset before"])
@pytest.mark.parametrize("operation", ["SearchContacts", "DescribeContact"])
def test_an_intent_whose_answer_was_lost_is_not_settled_by_a_reading_that_fails(
    tmp_path, monkeypatch, operation, fault
):
    """Loses a call's outcome, after which the contact cannot be read."""
    with through_faults(tmp_path, monkeypatch, waiting=["plain"]) as router:
        router.fault("TransferContact", "reset before", count=2)
        router.cycles(1)
        assert len(router.app.ledger.open_intents()) == 1
        router.fault(operation, fault)
        if fault == "not found":
            router.fault("ListQueues", fault)
        router.app.cycle.run(until=None)

        if operation == "DescribeContact":
            assert len(router.app.ledger.open_intents()) == 1
        assert len(router.acted_on()) <= 1

        router.mend()
        router.clock.travel(timedelta(minutes=5, seconds=1))
        router.cycles(2)
        assert router.acted_on() == ["plain"]
        assert router.app.ledger.open_intents() == ()


def test_a_single_fault_of_a_reading_call_is_made_good_by_a_repeat_and_not_told(tmp_path, monkeypatch):
    with through_faults(tmp_path, monkeypatch) as router:
        for operation in OPERATIONS:
            if operation not in CHANGING:
                router.fault(operation, "500", count=1)
                router.fault(operation, "reset after", count=1)
        router.cycles(2)

        assert router.acted_on() == sorted(WAITING)
        assert router.alarms() == []
