"""Compares the waiting list that events maintain with the sandbox's truth, for random lives and defects.

A stream of events may be in any order and have repetitions. Then the list ends as the truth. It may also lack events
and have forged ones. Then no contact that the truth does not show as decided on passes the check before a move, and a
search makes the list complete.
"""

from __future__ import annotations

import json
import random
from datetime import timedelta
from threading import Event

from hypothesis import given
from hypothesis import strategies as st

from router.connect.answers import Missing, Reading
from router.connect.contact_events import EventReader, QueueMessage
from router.connect.contact_rows import contact_of, described
from router.execute.recheck import changed
from router.model import Channel, ContactId
from router.sandbox import Behaviours
from router.sandbox.directory import DEFAULT_INSTANCE, QUEUE, Identity
from router.sandbox.operations.contact_rows import full_row, search_row
from router.sandbox.world import World
from router.search.contact_readings import ContactReadings
from router.search.event_feed import EventFeed
from router.search.event_gate import EventGate
from router.search.event_pulse import EventPulse
from router.search.waiting_list import WaitingList
from tests.builders.contact_events import PublishingWorld
from tests.builders.watched import SetClock

CHANNELS = frozenset({Channel.TASK, Channel.EMAIL})
ACTIONS = 40
KINDS = (
    Behaviours(put_back="same_contact"),
    Behaviours(resume="keeps_time"),
    Behaviours(resume="stays_out", new_segment_initial_id="lost"),
    Behaviours(transfer="same_contact"),
)


class Lives:
    """Lets contacts arrive, and lets everything happen to them that Connect allows, at random."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.behaviours = chance.choice(KINDS)
        self.made = PublishingWorld(chance.randrange(10**6), self.behaviours, ("Billing", "General"))
        self.world: World = self.made.world
        self.world.add_flow("Overflow to queue", type="QUEUE_TRANSFER")
        self.world.add_user("agent.one", queues=["Billing"], slots={"TASK": 10, "EMAIL": 10})
        self.contacts: list[str] = []

    def live(self) -> list[str]:
        """Returns the messages that this led to."""
        for _ in range(ACTIONS):
            self.made.at += timedelta(milliseconds=self.chance.randrange(1, 90_000))
            acts = self.arrive, self.arrive, self.accept, self.end, self.pause, self.resume, self.move
            try:
                self.chance.choice(acts)()
            except (ValueError, IndexError):
                continue  # the contact is not in a state that allows it
        return list(self.made.messages)

    def one(self) -> str:
        return self.world.latest(self.chance.choice(self.contacts)).id

    def arrive(self) -> None:
        tags = {"team": self.chance.choice(("gold", "blue"))}
        channel, queue = self.chance.choice(("TASK", "EMAIL")), self.chance.choice(("Billing", "General"))
        self.contacts.append(self.world.enqueue(channel, queue, tags=tags))

    def accept(self) -> None:
        self.world.accept(self.one(), "agent.one")

    def end(self) -> None:
        contact = self.one()
        if self.world.contact(contact).with_agent and self.chance.random() < 0.5:
            self.contacts.append(self.world.put_back(contact))
        elif not self.world.contact(contact).ended:
            self.world.finish(contact)

    def pause(self) -> None:
        self.world.pause(self.one())

    def resume(self) -> None:
        self.world.resume(self.one())

    def move(self) -> None:
        contact = self.world.contact(self.one())
        if contact.queued:
            self.contacts.append(self.world.transfer(contact.id, flow="Overflow to queue", queue="General"))

    def read(self, contact_id: ContactId):
        """Returns what DescribeContact answers."""
        with self.world.present() as state:
            found = state.contacts.get(contact_id)
            if found is None:
                return Missing(contact_id=ContactId(contact_id))
            row = full_row(state, found)
        return Reading(contact=described(row), answered_at=0.0)

    describe = read

    def waiting(self) -> set[str]:
        """Returns the contacts that may be moved: the sandbox also queues a paused one that an agent puts back."""
        found = (one for queue in ("Billing", "General") for one in self.world.waiting(queue))
        return {one.id for one in found if not one.pause.paused}

    def rows(self):
        with self.world.present() as state:
            found = [state.contact(one) for one in self.waiting()]
            return [contact_of(search_row(state, one)) for one in found]


def feed_of(lives: Lives) -> EventFeed:
    clock = SetClock(lives.made.at + timedelta(minutes=1))
    waiting_list = WaitingList(channels=CHANNELS)
    readings = ContactReadings(
        reader=lives,
        clock=clock,
        waiting_list=waiting_list,
        watched=lambda queue_id: True,
        remember=lambda contact, now: None,
        stopping=Event(),
        on_news=lambda: None,
    )
    return EventFeed(
        queue=None,  # type: ignore[arg-type]  # messages are applied as given
        reader=EventReader(DEFAULT_INSTANCE, CHANNELS),
        readings=readings,
        waiting_list=waiting_list,
        clock=clock,
        working=lambda: True,
        stopping=Event(),
        on_news=lambda: None,
        gate=EventGate(pulse=EventPulse(clock=clock), sweep=timedelta(hours=1)),
    )


def apply(feed: EventFeed, bodies: list[str], chance: random.Random) -> None:
    """Applies the messages, with readings at random moments, and all of them in the end."""
    for number, body in enumerate(bodies):
        feed.apply([QueueMessage(message_id=f"m{number}", handle="", body=body)])
        if chance.random() < 0.2:
            feed.readings.read_next()
    while feed.readings.read_next():
        pass


@given(st.integers(min_value=0, max_value=2**32))
def test_in_any_order_and_with_repetitions_the_list_ends_as_the_truth(seed):
    chance = random.Random(seed)
    lives = Lives(chance)
    bodies = lives.live()
    bodies += chance.sample(bodies, len(bodies) // 5)
    chance.shuffle(bodies)
    feed = feed_of(lives)
    apply(feed, bodies, chance)
    assert {one.id for one in feed.waiting_list.contacts} == lives.waiting()


def forged(lives: Lives, bodies: list[str], chance: random.Random) -> str:
    """Returns an event that Connect has not published: a true one with false members."""
    body = json.loads(chance.choice(bodies))
    body["id"] = f"forged-{chance.random()}"
    detail = body["detail"]
    detail["eventType"] = chance.choice(["QUEUED", "QUEUED", "DISCONNECTED", "CONNECTED_TO_AGENT"])
    detail["contactId"] = chance.choice([*lives.contacts, "11111111-0000-4000-8000-000000000000"])
    since = lives.made.at - timedelta(minutes=chance.uniform(0, 600))
    arn = Identity().arn_of(QUEUE, Identity().id_of(QUEUE, chance.choice(("Billing", "General"))))
    detail["queueInfo"] = {"queueArn": arn, "enqueueTimestamp": since.isoformat()}
    detail["tags"] = {"team": chance.choice(("gold", "blue", "red"))}
    detail["channel"] = chance.choice(("TASK", "EMAIL"))
    if chance.random() < 0.3:
        detail.pop("previousContactId", None)
        detail.pop("initialContactId", None)
    return json.dumps(body)


@given(st.integers(min_value=0, max_value=2**32))
def test_with_lost_and_forged_events_no_false_contact_passes_the_reading_and_a_search_makes_the_list_complete(seed):
    chance = random.Random(seed)
    lives = Lives(chance)
    lives.arrive()
    bodies = lives.live()
    kept = [body for body in bodies if chance.random() > 0.2]
    kept += [forged(lives, bodies, chance) for _ in range(10)]
    chance.shuffle(kept)
    feed = feed_of(lives)
    apply(feed, kept, chance)
    now = feed.clock.now()
    for one in feed.waiting_list.contacts:
        answer = lives.read(one.id)
        if not isinstance(answer, Reading):
            continue  # DescribeContact finds none, and nothing is sent
        assert one.queue_id is not None
        assert one.enqueued_at is not None
        hold = changed(answer.contact, queue_id=one.queue_id, enqueued_at=one.enqueued_at, now=now, decided_on=one)
        if hold is None:
            true = answer.contact
            assert one.id in lives.waiting()
            assert true.enqueued_at is not None
            assert true.enqueued_at <= one.enqueued_at, "it would be moved too early"
            decided = (one.queue_id, one.channel, one.chain_id, one.previous_id, one.initiation_method, one.tags)
            assert decided == (
                true.queue_id, true.channel, true.chain_id, true.previous_id, true.initiation_method, true.tags
            )  # fmt: skip
    for _ in range(2):
        now += timedelta(minutes=5)
        feed.waiting_list.record_seen(lives.rows(), now)
        feed.waiting_list.record_search(None, now)
    assert {one.id for one in feed.waiting_list.contacts} == lives.waiting()
    assert {one.enqueued_at for one in feed.waiting_list.contacts} == {one.enqueued_at for one in lives.rows()}
