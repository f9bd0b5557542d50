"""Checks that contact events maintain the waiting list, and that a wrong event never leads to a wrong move."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import boto3
import pytest

from router.daemon.status import status_of
from router.sandbox import Behaviours, EventTraps
from router.sandbox.contact_events import EventPublisher
from tests.builders import tables
from tests.e2e.centre import LATE_RULE, open_centre
from tests.e2e.test_metrics import scraped

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
EVERY = timedelta(seconds=15)


class Service:
    """Runs a router with events in the test's thread: each ``poll`` drains the queue, searches and acts."""

    def __init__(self, centre, rules=LATE_RULE, **overrides):
        self.centre = centre
        self.app = centre.router(rules, **{"events.queue": centre.sandbox.queue_url, **overrides})
        self.feed = self.app.cycle.feed
        self.feed.wait_s = 0

    @property
    def waiting(self):
        return {one.id for one in self.app.cycle.waiting_list.contacts}

    @property
    def gate(self):
        return self.feed.gate

    @property
    def ignored(self):
        return {reason.value: count for reason, count in self.feed.gate.pulse.ignored.items()}

    def drain(self):
        self.centre.drain(self.app)

    def poll(self, *, after=EVERY):
        self.centre.clock.travel(after)
        self.drain()
        self.app.acting.poll(until=time.monotonic() + 60, every=EVERY)
        self.act()

    def act(self):
        for _ in range(4):
            self.app.acting._step()
        self.centre.land(self.app)

    def searches(self, act):
        before = self.centre.sandbox.count("SearchContacts")
        act()
        return self.centre.sandbox.count("SearchContacts") - before


@pytest.fixture
def traps():
    return EventTraps()


@pytest.fixture
def centre(tmp_path, monkeypatch, behaviours, traps):
    with open_centre(tmp_path, behaviours, events=traps) as opened:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", opened.sandbox.endpoint)
        yield opened


def moved(centre):
    return [one.contact_id for one in centre.world.transfers]


def logged(events):
    return [line["event"] for line in events if line["event"].startswith("events.")]


def lose(centre):
    """Loses every event from now on."""
    centre.world.state.contacts.watch = lambda before, after: None


def live(centre, rules=LATE_RULE, **overrides):
    """Returns a service that has searched everything, and to which an event has shown that events arrive."""
    service = Service(centre, rules, **overrides)
    service.poll()
    centre.world.enqueue("TASK", "General")
    service.poll()
    assert service.gate.live
    return service


def test_a_contact_is_known_from_its_event_and_moved_at_its_time_without_a_search(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing")
    searched = service.searches(lambda: [service.poll() for _ in range(4)])
    assert (contact in service.waiting, searched) == (True, 0)
    service.poll(after=HOUR)
    assert moved(centre) == [contact]


def test_a_contact_that_an_agent_takes_is_removed(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing")
    service.poll()
    centre.world.accept(contact, "supervisor.one")
    service.drain()
    assert contact not in service.waiting


def test_events_are_applied_once_and_their_messages_are_deleted(centre):
    service = live(centre)
    centre.world.enqueue("TASK", "Billing")
    service.drain()
    assert len(centre.sandbox.queue) == 0
    assert centre.sandbox.queue.deleted == service.gate.pulse.received


@pytest.mark.parametrize(
    "traps",
    [EventTraps(enqueue_time="missing"), EventTraps(enqueue_time="1970"), EventTraps(names="pascal")],
    ids=["missing", "1970", "pascal"],
)
def test_every_form_of_an_event_leads_to_the_same_move(centre):
    service = live(centre)
    contact = centre.world.enqueue("EMAIL", "Billing", waited=59 * MINUTE)
    service.poll()
    assert moved(centre) == []
    service.poll(after=MINUTE)
    assert moved(centre) == [contact]


@pytest.mark.parametrize("traps", [EventTraps(enqueue_time="missing")])
def test_without_enqueue_time_and_reading_the_envelope_s_time_counts_and_is_corrected_before_a_move(centre):
    service = live(centre)
    centre.world.faults.add("error_500", "DescribeContact", count=12)
    contact = centre.world.enqueue("TASK", "Billing", waited=50 * MINUTE)
    service.drain()
    assert contact in service.waiting
    centre.world.faults.clear()
    service.poll(after=HOUR)
    service.poll()
    assert moved(centre) == [contact]


def test_a_lost_event_costs_time_and_the_contact_is_found_by_the_metrics(centre):
    service = live(centre)
    for _ in range(3):
        service.poll()
    lose(centre)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    service.poll()
    assert moved(centre) == []
    service.poll()
    assert moved(centre) == [contact]


def test_a_queue_that_disagrees_once_is_not_searched(centre):
    service = live(centre)
    for _ in range(3):
        service.poll()
    lose(centre)
    contact = centre.world.enqueue("TASK", "Billing")
    assert service.searches(service.poll) == 0
    assert service.searches(service.poll) >= 1
    assert contact in service.waiting


def forge(service, contact_id, kind="QUEUED", **detail):
    """Puts an event into the queue that Connect has not published."""
    world = service.centre.world
    body = {
        "id": f"forged-{time.monotonic_ns()}",
        "source": "aws.connect",
        "detail-type": "Amazon Connect Contact Event",
        "time": world.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "detail": {
            "eventType": kind,
            "contactId": contact_id,
            "channel": "TASK",
            "instanceArn": service.centre.sandbox.instance_arn,
            **detail,
        },
    }
    service.centre.sandbox.queue.put(json.dumps(body))


def queue_arn(service, name):
    register = service.centre.world.state.register
    queue = next(one for one in register.queues.values() if one.name == name)
    return queue.arn


def test_a_forged_event_of_a_late_contact_moves_nothing(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing")
    service.poll()
    since = (centre.world.now - 3 * HOUR).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    forge(service, contact, queueInfo={"queueArn": queue_arn(service, "Billing"), "enqueueTimestamp": since})
    place = {"queueArn": queue_arn(service, "Billing"), "enqueueTimestamp": since}
    forge(service, "11111111-0000-0000-0000-000000000000", queueInfo=place)
    for _ in range(3):
        service.poll()
    assert moved(centre) == []
    assert contact in service.waiting
    assert "11111111-0000-0000-0000-000000000000" not in service.waiting


TAGGED = LATE_RULE.replace('queue = "Billing"', 'queue = "Billing"\ntags.team = "gold"')


def test_values_that_only_an_event_has_move_nothing(centre):
    """Checks a forged event that arrives before the true one, with a tag that the contact does not have."""
    service = live(centre, TAGGED)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    true = centre.world.contact(contact)
    centre.sandbox.queue._ready.clear()
    forge(
        service,
        contact,
        tags={"team": "gold"},
        initiationMethod="API",
        initiationTimestamp=true.life.initiated_at.isoformat(),
        queueInfo={"queueArn": queue_arn(service, "Billing"), "enqueueTimestamp": true.enqueued_at.isoformat()},
    )
    service.poll()
    service.poll()
    assert moved(centre) == []
    assert not any(one.partial for one in service.app.cycle.waiting_list.contacts if one.id == contact)


NAMED = LATE_RULE.replace('queue = "Billing"', 'queue = "Billing"\nname = "Invoice"')


def test_a_rule_that_needs_more_than_an_event_has_decides_on_the_reading(centre):
    service = live(centre, NAMED)
    names = ("Memo", "Invoice")
    other, wanted = (centre.world.enqueue("TASK", "Billing", name=name, waited=2 * HOUR) for name in names)
    service.poll()
    service.poll()
    assert moved(centre) == [wanted]
    assert other in service.waiting


@pytest.mark.parametrize("behaviours", [Behaviours(resume="keeps_time"), Behaviours(resume="renews_time")])
def test_a_pause_removes_the_contact_and_its_end_brings_it_back(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing")
    service.poll()
    centre.world.pause(contact)
    service.drain()
    assert contact not in service.waiting
    centre.world.resume(contact)
    service.drain()
    assert contact in service.waiting


@pytest.mark.parametrize("behaviours", [Behaviours(put_back="same_contact")])
def test_a_contact_that_is_put_back_waits_anew(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing")
    service.poll()
    centre.world.accept(contact, "supervisor.one")
    service.drain()
    centre.clock.travel(MINUTE)
    centre.world.put_back(contact, queue="Billing")
    service.drain()
    assert contact in service.waiting


def test_messages_of_others_are_ignored_and_counted(centre):
    service = live(centre)
    before = dict(service.ignored)
    put = centre.sandbox.queue.put
    for body in ("", "[]", "{", '"x"', '{"source":"aws.ec2","detail-type":"x","detail":{}}', '{"detail":"\\ud800"}'):
        put(body)
    forge(service, "a", channel="VOICE")
    forge(service, "a", kind="INITIATED")
    forge(service, "a", kind="SOMETHING_NEW")
    forge(service, "a", instanceArn=centre.sandbox.instance_arn.replace("instance/1", "instance/2"))
    place = {"queueArn": queue_arn(service, "Billing"), "enqueueTimestamp": "2099-01-01T00:00:00Z"}
    forge(service, "a", queueInfo=place)
    service.drain()
    added = {reason: count - before.get(reason, 0) for reason, count in service.ignored.items()}
    assert added == {
        "unreadable": 5, "other_source": 1, "other_channel": 1, "unused_type": 2, "other_instance": 1, "future": 1,
        "unwatched_queue": 0,
    }  # fmt: skip


def test_silence_while_contacts_come_and_go_leads_back_to_searches(centre, events):
    service = live(centre)
    lose(centre)
    for _ in range(12):
        centre.world.enqueue("TASK", "Billing")
        service.poll(after=MINUTE)
    assert logged(events) == ["events.silent"]
    assert not service.gate.live
    assert service.searches(lambda: service.poll(after=6 * MINUTE)) > 0
    forge(service, "a", queueInfo={"queueArn": queue_arn(service, "Billing")})
    service.poll()
    assert service.gate.live
    assert logged(events) == ["events.silent", "events.returned"]


def test_nothing_is_silent_while_no_contact_comes_or_goes(centre, events):
    service = live(centre)
    for _ in range(30):
        service.poll(after=MINUTE)
    assert service.gate.live
    assert logged(events) == []


def test_a_queue_that_refuses_is_one_line_and_the_service_searches(centre, events):
    service = live(centre)
    centre.world.faults.add("access_denied", "ReceiveMessage")
    for _ in range(3):
        assert service.feed.step() is not None
    [line] = [line for line in events if line["event"] == "events.failed"]
    assert (line["log_level"], line["operation"]) == ("error", "ReceiveMessage")
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    service.gate.pulse._answered_at = time.monotonic() - 61
    service.app.acting.poll(until=time.monotonic() + 60, every=EVERY)
    service.act()
    assert moved(centre) == [contact]
    centre.world.faults.clear()
    assert service.feed.step() is None
    assert logged(events) == ["events.failed", "events.recovered"]


def test_messages_of_a_router_that_lost_its_turn_are_left_to_the_next_one(centre):
    service = live(centre)
    centre.world.enqueue("TASK", "Billing")
    service.feed.working = lambda: False
    assert service.feed.step() is None
    assert len(centre.sandbox.queue) > 0


def test_an_agent_who_accepts_before_the_event_arrives_retains_the_contact(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.accept(contact, "supervisor.one")
    queue = centre.sandbox.queue
    kept = [one for one in queue._ready if "CONNECTED_TO_AGENT" not in one.body]
    queue._ready.clear()
    queue._ready.extend(kept)
    service.poll()
    assert moved(centre) == []
    assert centre.world.taken_from_agents == ()


def test_the_router_s_own_move_is_followed_although_its_events_are_late(centre):
    service = live(centre)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    service.poll()
    for _ in range(4):
        service.poll()
    assert moved(centre) == [contact]


@contextmanager
def published_to(client, url, centre):
    """Has events sent to a queue of another SQS while the block runs."""
    contacts = centre.world.state.contacts
    before = contacts.watch
    send = partial(client.send_message, QueueUrl=url)
    publisher = EventPublisher(centre.world.state, EventTraps(), lambda body: send(MessageBody=body), seed=1)
    contacts.watch = publisher.changed
    try:
        yield
    finally:
        contacts.watch = before


def test_a_queue_of_another_sqs_server_is_drained(centre, monkeypatch):
    with tables.moto() as endpoint:
        client = boto3.Session(**tables.KEYS).client("sqs", endpoint_url=endpoint)
        url = client.create_queue(QueueName="contact-events")["QueueUrl"]
        account, name = url.rsplit("/", 2)[1:]
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
        named = f"https://sqs.us-east-1.amazonaws.com/{account}/{name}"
        with published_to(client, url, centre):
            service = Service(centre, **{"events.queue": named})
            service.poll()
            contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
            assert service.feed.step() is None
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        left = {name: int(attributes[name]) for name in attributes if name.startswith("ApproximateNumber")}
        service.feed.queue.close()
        client.close()
    service.act()
    assert moved(centre) == [contact]
    assert set(left.values()) == {0}


def test_the_thread_drains_the_queue_by_long_polls_and_wakes_the_service(centre):
    service = Service(centre)
    service.poll()
    service.feed.wait_s = 5
    service.app.start_events()
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    end = time.monotonic() + 10
    while contact not in service.waiting:
        assert time.monotonic() < end
        time.sleep(0.01)
    service.act()
    assert moved(centre) == [contact]
    service.app.stop()
    service.feed.thread.join(10)
    assert not service.feed.thread.is_alive()
    assert len(centre.sandbox.queue) == 0


def test_status_and_metrics_show_the_events(centre):
    service = live(centre, **{"metrics.listen": "127.0.0.1:9464"})
    shown = status_of(service.app)["events"]
    figures = scraped(service.app)
    assert (shown["live"], shown["silent"], shown["failing"], shown["to_read"]) == (True, False, False, 0)
    assert shown["received"] == shown["applied"] + sum(shown["ignored"].values()) > 0
    assert (figures["events_live",], figures["events_missing",]) == (1, 0)
    service.feed.gate.pulse.silent = True
    assert scraped(service.app)["events_missing",] == 1
    assert figures["events_received_total",] == shown["received"]
    assert figures["events_ignored_total", "unused_type"] == shown["ignored"]["unused_type"]


def test_check_live_reads_the_queue_and_takes_no_message(bench, centre):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text() + f'\n[events]\nqueue = "{centre.sandbox.queue_url}"\n')
    centre.world.enqueue("TASK", "Billing")
    there = bench.run("check", "--live")
    centre.world.faults.add("access_denied", "DeleteMessage")
    denied = bench.run("check", "--live")
    config.write_text(config.read_text().replace("contact-events", "gone"))
    gone = bench.run("check", "--live")
    assert (there.returncode, there.stderr) == (0, "")
    line = config.read_text().splitlines().index("[events]") + 2
    assert denied.returncode == gone.returncode == 1
    assert f"config.toml:{line}:9: {centre.sandbox.queue_url} cannot be used: AccessDenied" in denied.stderr
    assert "cannot be used: AWS.SimpleQueueService.NonExistentQueue: " in gone.stderr
    assert centre.sandbox.count("ReceiveMessage") == 0


@pytest.mark.parametrize("options", [(), ("--observe",)])
def test_the_policy_has_the_queue_and_is_the_same_without_one_otherwise(bench, options):
    without = bench.json("policy", *options)["Statement"]
    url = "https://sqs.eu-west-2.amazonaws.com/123456789012/events"
    there = bench.json("policy", *options, "--set", f"events.queue={url}")["Statement"]
    (added,) = [one for one in there if one not in without]
    assert added["Action"] == ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    assert added["Resource"] == ["arn:aws:sqs:eu-west-2:123456789012:events"]


@pytest.mark.parametrize(
    "url",
    [
        "arn:aws:sqs:us-east-1:123456789012:events",
        "https://sqs.us-east-1.amazonaws.com/123456789012/events.fifo",
        "http://sqs.us-east-1.amazonaws.com/123456789012/events",
        "https://sqs.us-east-1.amazonaws.com/events",
        "https://user:secret@sqs.us-east-1.amazonaws.com/123456789012/events",
    ],
)
def test_only_the_url_of_a_standard_queue_is_accepted(bench, url):
    done = bench.run("check", "--set", f"events.queue={url}")
    assert done.returncode == 2
    assert "is no URL of a standard SQS queue" in done.stderr


def test_a_full_scan_while_events_arrive_is_not_more_frequent_than_otherwise(bench):
    queue = "events.queue=https://sqs.us-east-1.amazonaws.com/123456789012/events"
    done = bench.run("check", "--set", queue, "--set", "events.sweep=1m")
    assert done.returncode == 2
    assert 'events.sweep ("1m") is shorter than poll.sweep ("5m")' in done.stderr
