"""Checks that a settlement is applied once and whole: ledger, landing slot, breakers, and the move handed on."""

import pytest

from router.connect.answers import Denied, Rejected, Throttled, Transferred, Unknown
from router.execute.result import AttemptResult, Outcome
from router.execute.routing_update import AgeMeaning
from router.execute.settler import Settler
from router.ledger import LedgerUnavailable, NotOpen, SqliteLedger
from router.model import ActionState, ContactId, HoldReason, Landing
from router.safety.safety import Safety
from tests.builders.contacts import NOW, act, contact
from tests.builders.fakes import FakeClock
from tests.builders.instance import DIRECTORY, OVERFLOW, to

MOVED = AttemptResult(answer=Transferred(contact_id=ContactId("after"), request_id="request"))
TARGET = to(OVERFLOW)


class SettlerBench:
    """Holds a settler with a ledger in memory, and one open intent that has the only landing slot."""

    def __init__(self) -> None:
        self.ledger = SqliteLedger.in_memory("instance-1")
        self.clock = FakeClock(NOW)
        self.safety = Safety.open(self.ledger, self.clock, unlanded=1, skew=lambda: None, directory=lambda: DIRECTORY)
        self.moves: list[tuple[ContactId, float | None]] = []
        self.settler = Settler(
            ledger=self.ledger,
            safety=self.safety,
            ages=AgeMeaning(),
            clock=self.clock,
            moved=lambda move, age: self.moves.append((move.contact_id, age)),
        )
        self.intent = self.ledger.intend(act(contact("c1", waited=60), target=TARGET, token="t"))
        assert self.safety.slots.take(TARGET.flow_id, self.intent.contact_id)

    def apply(self, attempt, *, uncertain=False):
        return self.settler.apply(self.intent, attempt, uncertain=uncertain, read_age=0.2)

    @property
    def slots_taken(self):
        return self.safety.slots.taken(TARGET.flow_id)


@pytest.fixture
def bench():
    return SettlerBench()


def test_a_move_is_written_handed_on_and_keeps_its_landing_slot(bench):
    action, settlement = bench.apply(MOVED)

    assert settlement.outcome is Outcome.DONE
    assert (action.state, action.landing, action.new_contact_id) == (ActionState.ACTED, Landing.PENDING, "after")
    assert bench.ledger.history() == (action,)
    assert bench.moves == [("c1", 0.2)]
    assert bench.slots_taken == 1


@pytest.mark.parametrize(
    "attempt",
    [
        AttemptResult(answer=Rejected(code="InvalidRequestException", message="no", status=400)),
        AttemptResult(answer=Throttled(code="TooManyRequestsException")),
        AttemptResult(hold=HoldReason.PICKED_UP),
        AttemptResult(answer=Denied(message="no permission")),
    ],
)
def test_an_intent_without_effect_is_closed_and_gives_its_landing_slot_back(bench, attempt):
    action, _ = bench.apply(attempt)

    assert action.state in (ActionState.REFUSED, ActionState.NEVER_SENT)
    assert bench.ledger.open_intents() == ()
    assert (bench.slots_taken, bench.moves) == (0, [])


def test_a_call_without_an_answer_keeps_intent_and_slot(bench):
    action, settlement = bench.apply(AttemptResult(answer=Unknown(code="TimedOut", message="")))

    assert settlement.outcome is Outcome.UNSETTLED
    assert bench.ledger.open_intents() == (action,)
    assert (bench.slots_taken, bench.moves) == (1, [])


def test_a_contact_that_is_gone_after_such_a_call_has_been_moved(bench):
    action, _ = bench.apply(AttemptResult(hold=HoldReason.PICKED_UP), uncertain=True)

    assert (action.state, action.landing, action.new_contact_id) == (ActionState.ACTED, Landing.PENDING, None)
    assert bench.moves == [("c1", 0.2)]


def test_of_two_that_settle_an_intent_the_second_learns_it(bench):
    bench.apply(MOVED)

    with pytest.raises(NotOpen):
        bench.apply(MOVED)
    assert len(bench.moves) == 1


def test_an_accepted_move_that_cannot_be_written_stays_open(bench):
    class FullLedger(SqliteLedger):
        def settle(self, action):
            raise LedgerUnavailable("disk full")

    bench.ledger.__class__ = FullLedger
    action, settlement = bench.apply(MOVED)

    assert settlement.outcome is Outcome.UNSETTLED
    assert action.new_contact_id == "after"
    assert bench.ledger.open_intents() == (bench.intent,)
    assert (bench.slots_taken, bench.moves) == (1, [])
    with pytest.raises(LedgerUnavailable):
        bench.apply(AttemptResult(hold=HoldReason.PICKED_UP))


def test_a_denial_reaches_the_breakers(bench):
    bench.apply(AttemptResult(answer=Denied(message="no permission")))

    assert TARGET.flow_id in bench.safety.blocks().denied_flows
