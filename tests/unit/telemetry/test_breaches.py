"""Checks that a broken promise is logged once for each wait, and that waits which are over are forgotten."""

from types import SimpleNamespace
from typing import cast

from structlog.testing import capture_logs

from router.cycle_context import CycleContext
from router.decide.decide import decide
from router.ledger.breach_records import BreachRecords
from router.rules.rule import Mode
from router.telemetry.breaches import BreachTransitions
from tests.builders.contacts import NOW, contact
from tests.builders.instance import DIRECTORY
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

RULES = rules(overflow(to='{ queue = "Overflow", slots_available = { min = 1 } }') + 'sla.target = "15m"\n')
LATE = contact(waited=20)


class Records:
    """Knows breaches as the ledger does, and counts how often it is read."""

    def __init__(self):
        self.ledger = SimpleNamespace(instance_id="i")
        self.known, self.read = set(), 0

    def record(self, breaches, at, *, notices):
        self.known.update(breaches)

    def is_known(self, wait, rule):
        self.read += 1
        return (wait, rule) in self.known


def logged(breaches, decided, cycle):
    context = CycleContext(cycle=cycle, rules=RULES, directory=DIRECTORY)
    with capture_logs() as lines:
        breaches.log_new(decided, [], context, now=NOW, knows_pauses=lambda contact: True)
    return [line["contact_id"] for line in lines]


def test_a_broken_promise_is_logged_once_and_a_wait_that_is_over_is_forgotten():
    records = Records()
    breaches = BreachTransitions(cast(BreachRecords, records))
    decided = decide(snapshot(LATE, mode=Mode.ENFORCE), RULES)
    assert logged(breaches, decided, 1) == ["c1"]
    breaches.forget_gone({LATE.id}, decided.accounts.values())
    assert logged(breaches, decided, 2) == []
    assert records.read == 1  # it is still remembered
    breaches.forget_gone(set(), ())
    assert logged(breaches, decided, 3) == []  # the ledger knows it
    assert records.read == 2


def test_a_contact_whose_pauses_were_not_known_when_it_left_is_forgotten():
    breaches = BreachTransitions(cast(BreachRecords, Records()))
    decided = decide(snapshot(LATE, mode=Mode.ENFORCE), RULES)
    context = CycleContext(cycle=1, rules=RULES, directory=DIRECTORY)
    breaches.log_new(decided, [], context, now=NOW, knows_pauses=lambda contact: False)
    breaches.forget_gone(set(), ())
    later = CycleContext(cycle=2, rules=RULES, directory=DIRECTORY)
    assert not breaches.log_new(decided, [], later, now=NOW, knows_pauses=lambda contact: False)
