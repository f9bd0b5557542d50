"""Checks the one answer: whether a call may be made now, and if not, why."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Denied
from router.decide.decide import decide
from router.followup.follow_up_call import follow_up_of
from router.ledger.operator_records import OperatorRecords
from router.ledger.sqlite import SqliteLedger
from router.model import ActionKind, ContactId, FlowId, HoldReason, Landing, Pause, PauseKind
from router.rules.rule import Mode
from router.safety.breakers import BreakerSignal
from router.safety.safety import NO_SLOT, Safety, SafetyHold
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import DIRECTORY
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot
from tests.builders.watched import SetClock

ONE = contact("c1", waited=20)
MOVE = move(ONE, after(ONE, "c2"))
assert MOVE.target is not None
FLOW = MOVE.target.flow_id
UPDATE = act(ONE, kind="routing")
PLACE = follow_up_of(MOVE, ActionKind.RESTORE_PLACE, now=NOW)
DENIED = Denied(message="not authorized")
HELD_DENIED = SafetyHold(HoldReason.DENIED)


class House:
    """A safety over a ledger in memory, with a clock skew that tests set."""

    def __init__(self, unlanded=2):
        self.clock, self.skew = SetClock(NOW), timedelta()
        self.ledger = SqliteLedger.in_memory(instance_id="instance")
        self.unlanded = unlanded
        self.safety = self.open()

    def open(self):
        return Safety.open(
            self.ledger, self.clock, unlanded=self.unlanded, skew=lambda: self.skew, directory=lambda: DIRECTORY
        )

    def pause_everything(self):
        self.safety.pauses.set(
            Pause(kind=PauseKind.ALL, subject="", name="", until=NOW + minutes(1), comment="x", who="ann", set_at=NOW)
        )


@pytest.fixture
def house():
    house = House()
    yield house
    house.ledger.close()


def decision(text, mode=Mode.ENFORCE):
    [found] = decide(snapshot(ONE, mode=mode), rules(text)).decisions
    return found


TRANSFER = decision(overflow(at="10m"))
OBSERVED = decision(overflow(at="10m"), mode=Mode.OBSERVE)
ROUTING = decision("""
[[rule]]
name = "bump"
match = { queue = "Billing" }
step = [{ at = "10m", routing = { priority = 1 } }]
""")
WARNING = decision("""
[[rule]]
name = "warn"
match = { queue = "Billing" }
step = [{ at = "10m", warn = "late" }]
""")
SUBJECTS = (TRANSFER, OBSERVED, ROUTING, WARNING, MOVE, UPDATE)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_nothing_holds_a_call_to_begin_with(house, subject):
    assert house.safety.hold_before_call(subject) is None


@pytest.mark.parametrize("subject", SUBJECTS)
def test_refused_credentials_hold_everything(house, subject):
    house.safety.breakers.stop_calls()
    assert house.safety.hold_before_call(subject) == HELD_DENIED


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_operator_s_pause_holds_everything_it_concerns_and_is_its_own_detail(house, subject):
    house.pause_everything()
    hold = house.safety.hold_before_call(subject)
    assert hold is not None
    assert (hold.reason, "paused by ann" in hold.detail) == (HoldReason.OPERATOR_PAUSE, True)


@pytest.mark.parametrize(
    ("subject", "held"),
    [(TRANSFER, True), (OBSERVED, False), (ROUTING, True), (WARNING, False), (MOVE, True), (UPDATE, True)],
)
def test_clock_skew_holds_what_changes_a_contact(house, subject, held):
    house.skew = minutes(6)
    hold = house.safety.hold_before_call(subject)
    assert hold == (SafetyHold(HoldReason.CLOCK_SKEW) if held else None)
    assert house.safety.blocks().clock_skew


@pytest.mark.parametrize(
    ("subject", "held"),
    [(TRANSFER, False), (OBSERVED, False), (ROUTING, True), (WARNING, False), (MOVE, False), (UPDATE, True)],
)
def test_a_denied_routing_update_holds_updates(house, subject, held):
    house.safety.breakers.apply(BreakerSignal.ROUTING_DENIED, UPDATE, DENIED)
    assert house.safety.hold_before_call(subject) == (HELD_DENIED if held else None)


def test_a_follow_up_is_held_by_credentials_denied_updates_and_pauses(house):
    assert house.safety.hold_before_follow_up(PLACE) is None
    house.safety.breakers.apply(BreakerSignal.ROUTING_DENIED, UPDATE, DENIED)
    assert house.safety.hold_before_follow_up(PLACE) == HELD_DENIED
    house.safety.breakers.close_all()
    house.safety.breakers.stop_calls()
    assert house.safety.hold_before_follow_up(PLACE) == HELD_DENIED
    house.safety.breakers.close_all()
    house.pause_everything()
    hold = house.safety.hold_before_follow_up(PLACE)
    assert hold is not None
    assert hold.reason is HoldReason.OPERATOR_PAUSE


def test_an_admitted_contact_keeps_its_slot_after_the_block_and_the_next_one_finds_none(house):
    for number in range(house.unlanded):
        with house.safety.admission(FLOW, ContactId(f"c{number}"), takes_slot=True) as hold:
            assert hold is None
    with house.safety.admission(FLOW, ContactId("last"), takes_slot=True) as hold:
        assert hold is NO_SLOT
    with house.safety.admission(FLOW, ContactId("again"), takes_slot=False) as hold:
        assert hold is None
    assert house.safety.slots.taken(FLOW) == house.unlanded


def test_a_breaker_refuses_admission_and_takes_no_slot(house):
    house.safety.breakers.apply(BreakerSignal.FLOW_DENIED, MOVE, DENIED)
    with house.safety.admission(FLOW, ContactId("c1"), takes_slot=True) as hold:
        assert hold == HELD_DENIED
    assert house.safety.slots.taken(FLOW) == 0


def test_a_probe_ends_with_the_block_even_if_it_raises(house):
    house.safety.breakers.apply(BreakerSignal.FLOW_DENIED, MOVE, DENIED)
    house.clock.at += minutes(5)

    def fail():
        with house.safety.admission(FLOW, ContactId("a"), takes_slot=False) as hold:
            assert hold is None
            with house.safety.admission(FLOW, ContactId("b"), takes_slot=False) as other:
                assert other == HELD_DENIED
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        fail()
    with house.safety.admission(FLOW, ContactId("b"), takes_slot=False) as hold:
        assert hold is None


def test_a_suspended_flow_is_logged_once_with_its_name_and_limit(house):
    strays = [move(contact(f"c{n}"), after(ONE), landing=Landing.STRAY) for n in range(2)]
    with capture_logs() as lines:
        house.safety.suspend_flows(strays)
        house.safety.suspend_flows(strays)
    [line] = lines
    assert (line["event"], line["flow"], line["limit"]) == ("flow.suspended", DIRECTORY.flow_name(FLOW), 2)


def test_a_resumed_flow_gets_its_slots_back_and_stays_resumed_after_a_restart(house):
    strays = [move(contact(f"c{n}"), after(ONE), landing=Landing.STRAY) for n in range(2)]
    house.safety.slots.reset(strays)
    house.safety.suspend_flows(strays)
    house.clock.at += minutes(30)
    assert house.safety.resume_flow(FLOW) == 2
    assert house.safety.resume_flow(FLOW) is None
    assert house.safety.slots.taken(FLOW) == 0
    restarted = house.open()
    restarted.slots.reset(strays)
    restarted.suspend_flows(strays)
    assert (restarted.slots.taken(FLOW), restarted.breakers.suspended) == (0, frozenset())
    assert FLOW in OperatorRecords(house.ledger).resumed_flows()


def test_closing_ends_the_wait_for_a_slot(house):
    house.safety.close()
    assert not house.safety.slots.await_one({FlowId("any")}, until=None)


def test_the_kinds_of_subjects_are_what_the_tests_take_them_for():
    assert (MOVE.kind, UPDATE.kind) == (ActionKind.TRANSFER, ActionKind.ROUTING)
