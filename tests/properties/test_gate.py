"""With the gate no contact is moved later than without it, by more than the metrics themselves lag."""

import random
from datetime import datetime, timedelta

import pytest

from router.model import Channel, ContactId
from router.search.metrics_gate import Earliest
from router.search.planner import SearchPlanner
from router.search.waiting_list import WaitingList
from tests.builders.contacts import NOW, contact
from tests.builders.effort import scaled
from tests.builders.instance import BILLING, DIRECTORY, GENERAL, OVERFLOW
from tests.builders.rules import rules
from tests.builders.watched import Arrival, Plenty, SetClock, WatchedWorld

EVERY = timedelta(seconds=15)
LASTS = timedelta(minutes=25)
PLACES = {"Billing": BILLING, "Overflow": OVERFLOW, "General": GENERAL}


def crowd(chance):
    """Draws contacts that wait or arrive later; indexes lag up to five minutes, and most contacts are answered."""
    for number in range(chance.randrange(5, 40)):
        entered = NOW + timedelta(seconds=chance.uniform(-1800, LASTS.total_seconds()))
        lag = timedelta(seconds=chance.choice([0, chance.uniform(0, 20), chance.uniform(0, 300)]))
        left = entered + timedelta(seconds=chance.uniform(60, 5000)) if chance.random() < 0.7 else None
        channel = chance.choice([Channel.TASK, Channel.EMAIL])
        queue = chance.choice(list(PLACES.values()))
        one = contact(f"c{number}", queue=queue, channel=channel, enqueued_at=entered, initiated_at=entered)
        yield Arrival(one, shown_after=lag, left_at=left)


def rule_set(chance):
    parts = []
    for name in chance.sample(list(PLACES), chance.randrange(1, 4)):
        clock = 'sla = { clock = "chain" }' if chance.random() < 0.2 else ""
        at = chance.choice(["45s", "2m", "5m", "10m", "20m"])
        parts.append(f"""
            [[rule]]
            name = "from-{name}"
            match.queue = "{name}"
            {clock}
            step = [{{ at = "{at}", to = [{{ queue = "Supervisors" }}] }}]
        """)
    return rules("".join(parts))


def moved_at(arrivals, bound, *, gated, world):
    """Returns by contact when polls find it known and due, and how many searches that took."""
    clock = SetClock()
    watched = WatchedWorld(clock, arrivals, **world)
    waiting_list = WaitingList(channels=[Channel.TASK, Channel.EMAIL])
    searching = SearchPlanner(
        reader=watched,
        gauge=watched,
        clock=clock,
        pacer=Plenty(),
        waiting_list=waiting_list,
        lookback=timedelta(days=90),
        sweep=timedelta(minutes=5),
    )
    known: dict[ContactId, datetime] = {}
    while clock.at < NOW + LASTS:
        searching.poll(bound, DIRECTORY, every=EVERY, until=None, gated=gated)
        for one in arrivals:
            if one.contact.id in waiting_list:
                known.setdefault(one.contact.id, clock.at)
        clock.at += EVERY
    moves = {}
    for one in arrivals:
        rule = next((rule for rule in bound.rules if rule.name == f"from-{_name(one)}"), None)
        if rule is None or one.contact.id not in known:
            continue
        first = Earliest.of((rule,))
        at = first.at if first.at is not None else rule.rule.steps[0].at
        moved = max(known[one.contact.id], one.contact.enqueued_at + at)
        if moved < min(NOW + LASTS, one.left_at or NOW + LASTS):
            moves[one.contact.id] = moved
    return moves, len(watched.searches)


def _name(one):
    return next(name for name, queue in PLACES.items() if queue == one.contact.queue_id)


@pytest.mark.parametrize("seed", range(scaled(120)))
def test_no_contact_is_moved_later_than_without_the_gate_by_more_than_the_metrics_lag(seed):
    chance = random.Random(seed)
    arrivals, bound = list(crowd(chance)), rule_set(chance)
    metrics_lag = timedelta(seconds=chance.choice([0, 5, 15, 30]))
    silent = frozenset() if chance.random() < 0.8 else frozenset([Channel.EMAIL])
    world = {"metrics_lag": metrics_lag, "silent": silent}
    if silent:
        arrivals = [one for one in arrivals if one.contact.channel is Channel.TASK or one.shown_after.seconds < 110]
    ungated, _ = moved_at(arrivals, bound, gated=False, world=world)
    gated, _ = moved_at(arrivals, bound, gated=True, world=world)
    hidden = _behind_an_older_one(arrivals)
    for contact_id, without in ungated.items():
        if contact_id in hidden:
            continue  # found by the sweep: the metrics show the oldest only
        assert contact_id in gated, contact_id
        assert gated[contact_id] - without <= metrics_lag + EVERY, contact_id


def _behind_an_older_one(arrivals):
    """Returns the contacts that no metric reveals.

    An index shows them later than the two minutes that are searched again, while an older contact of their queue and
    channel waits.
    """
    found = set()
    for one in arrivals:
        if one.shown_after <= timedelta(minutes=2):
            continue
        place = one.contact.queue_id, one.contact.channel
        older = (
            other.contact.enqueued_at < one.contact.enqueued_at
            for other in arrivals
            if (other.contact.queue_id, other.contact.channel) == place
        )
        if any(older):
            found.add(one.contact.id)
    return found


def test_the_gate_searches_far_less_where_little_can_fall_due():
    chance = random.Random(7)
    arrivals = [one for one in crowd(chance) if one.shown_after < timedelta(seconds=30)]
    bound = rules("""
        [[rule]]
        name = "from-Billing"
        match.queue = "Billing"
        step = [{ at = "4h", to = [{ queue = "Supervisors" }] }]
    """)
    _, without = moved_at(arrivals, bound, gated=False, world={})
    _, with_gate = moved_at(arrivals, bound, gated=True, world={})
    assert without == 100
    assert with_gate <= 6
