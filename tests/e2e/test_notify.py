"""Checks that warnings, broken promises and errors arrive on a real SNS topic, and never delay a move."""

from __future__ import annotations

import io
import threading
import time
from datetime import timedelta

import pytest

from router import events, logs
from router.connect.topic import Topic
from router.daemon.status import status_of
from router.ledger.errors import LedgerUnavailable
from router.ledger.outbox import Outbox
from tests.builders.topics import PUBLISH, open_topic
from tests.e2e.bench import restored_logging
from tests.e2e.centre import LATE_RULE
from tests.e2e.test_metrics import scraped

HOUR = timedelta(hours=1)
MOVED = 8
"""Fewer than there are landing slots."""
WARNS = (
    LATE_RULE + '[[rule.step]]\nat = "2h"\nwarn = "{contact_id} waits in {queue}: {late} late, {left} left, {rule}"\n'
)
ONLY_WARNS = """
[[rule]]
name = "slow"
[rule.match]
queue = "General"
[[rule.step]]
at = "1h"
warn = "{waited} in {queue}"
"""


@pytest.fixture
def topic(monkeypatch):
    with restored_logging(), open_topic() as opened:
        logs.configure(level="error", format="json", stream=io.StringIO())
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", opened.proxy.endpoint)
        yield opened


def notifying(centre, topic, rules=WARNS, **overrides):
    app = centre.router(rules, **{"notify.sns_topic": topic.arn, "metrics.listen": "127.0.0.1:9464", **overrides})
    app.start_notices()
    return app


def until(condition, *, within=10):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


def rest(app):
    """Waits until everything is sent."""
    until(lambda: not app.notices.waiting)


def test_a_warning_arrives_filled_with_its_attributes_whatever_the_log_s_level_is(centre, topic):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR + timedelta(minutes=5))
    app = notifying(centre, topic)
    app.cycle.run(until=None)
    (message,) = topic.until(1)
    rest(app)
    assert message.subject == f"connect-router: {contact} waits in Billing: 1h5m late, 0s left, late"
    assert message.body.splitlines()[:2] == [f"{contact} waits in Billing: 1h5m late, 0s left, late", ""]
    assert {"rule: late", "queue: Billing", f"contact_id: {contact}", "step: 2"} <= set(message.body.splitlines())
    assert f"instance: {app.settings.connect.instance_id}" in message.body
    assert message.attributes == {
        "event": "contact.warned", "level": "warning", "rule": "late", "queue": "Billing"
    }  # fmt: skip
    assert status_of(app)["notify"] == {"topic": topic.arn, "sent": 1, "waiting": 0, "failed": 0}
    figures = scraped(app)
    assert (figures["notices_sent_total",], figures["notices_waiting",], figures["notices_failed_total",]) == (1, 0, 0)
    assert figures["warnings_total", "late"] == 1


def test_nothing_is_sent_twice_over_cycles_and_restarts(centre, topic):
    centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    app = notifying(centre, topic, ONLY_WARNS)
    for _ in range(3):
        app.cycle.run(until=None)
    topic.until(1)
    centre.end(app)
    app = notifying(centre, topic, ONLY_WARNS)
    app.cycle.run(until=None)
    events.log_flow_suspended(flow="F", limit=3)
    events.log_flow_suspended(flow="F", limit=3)
    rest(app)
    centre.end(app)
    assert [one.attributes["event"] for one in topic.received()] == ["contact.warned", "flow.suspended"]


def test_a_fault_that_lasts_is_sent_again_after_an_hour(centre, topic):
    app = notifying(centre, topic)
    for _ in range(3):
        events.log_flow_suspended(flow="F", limit=3)
        rest(app)
        centre.clock.travel(timedelta(minutes=31))
    topic.until(2)
    assert len(topic.received()) == 2


def test_broken_promises_and_errors_arrive_and_lesser_events_do_not(centre, topic):
    held = LATE_RULE.replace(
        '{ queue = "Billing Overflow" }', '{ queue = "Billing Overflow", slots_available = { min = 1 } }'
    )
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = notifying(centre, topic, held)
    for _ in range(3):
        app.cycle.run(until=None)
    events.log_rules_rejected(["rules/1.toml:1:1: wrong"])
    events.log_quotas_unread(ValueError("no"))
    by_event = {one.attributes["event"]: one for one in topic.until(2)}
    assert set(by_event) == {"contact.breached", "rules.rejected"}
    assert by_event["contact.breached"].subject == "connect-router: late in Billing: the promise of rule late is broken"
    assert f"contact_id: {contact}" in by_event["contact.breached"].body
    assert by_event["rules.rejected"].attributes == {"event": "rules.rejected", "level": "error"}
    assert "rules/1.toml:1:1: wrong" in by_event["rules.rejected"].body


def test_an_exception_is_named_and_its_text_withheld(centre, topic):
    notifying(centre, topic)
    try:
        int("the customer's own words")
    except ValueError:
        events.log_cycle_failed(7)
    (message,) = topic.until(1)
    assert "ValueError" in message.subject
    assert "customer" not in message.subject + message.body


@pytest.mark.parametrize("kind", ["refusal", "throttle", "fault", "hang"])
def test_no_move_waits_for_the_topic_and_the_message_arrives_in_the_end(centre, topic, kind):
    released = threading.Event()
    if kind == "hang":
        topic.proxy.before = lambda operation, body: released.wait(20)
    else:
        topic.refuse(
            *{"refusal": ("AuthorizationError", 403), "throttle": ("Throttled", 429), "fault": ("", 500)}[kind]
        )
    centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    for _ in range(MOVED):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = notifying(centre, topic, LATE_RULE + ONLY_WARNS)
    began = time.monotonic()
    app.cycle.run(until=None)
    took = time.monotonic() - began
    assert len(centre.world.transfers) == MOVED
    assert took < 5, "a call of SNS alone takes five seconds to time out"
    if kind != "hang":
        until(lambda: app.notices.failed)
        assert app.notices.waiting == 1
    released.set()
    topic.accept()
    topic.until(1, within=30)
    centre.end(app)
    assert {one.attributes["event"] for one in topic.received()} == {"contact.warned"}


def test_what_was_not_sent_is_sent_by_the_next_process(centre, topic):
    topic.refuse()
    centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    app = notifying(centre, topic, ONLY_WARNS)
    app.cycle.run(until=None)
    centre.end(app)
    assert topic.received() == []
    topic.accept()
    app = notifying(centre, topic, ONLY_WARNS)
    (message,) = topic.until(1)
    assert message.attributes["event"] == "contact.warned"


def test_an_hour_has_its_limit_and_one_message_counts_the_rest(centre, topic):
    for _ in range(7):
        centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    app = notifying(centre, topic, ONLY_WARNS, **{"notify.per_hour": 3})
    app.cycle.run(until=None)
    topic.until(3)
    time.sleep(0.2)
    assert app.notices.waiting == 4
    centre.end(app)
    app = notifying(centre, topic, ONLY_WARNS, **{"notify.per_hour": 3})
    time.sleep(0.2)
    assert len(topic.received()) == 3, "a restart begins no new hour"
    centre.clock.travel(HOUR)
    events.log_rules_rejected(["wrong"])  # wakes the thread
    error, last = topic.until(5)[-2:]
    assert error.attributes["event"] == "rules.rejected", "no number of warnings keeps an error back"
    assert last.subject == "connect-router: messages that were not sent, because of notify.per_hour: 4"
    assert last.attributes == {"event": "notify.held_back", "level": "warning"}
    assert "4 contact.warned, rule slow" in last.body
    rest(app)
    assert len(topic.received()) == 5


def test_a_quarter_of_the_hour_is_for_errors_and_has_its_limit_too(centre, topic):
    for _ in range(10):
        centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    app = notifying(centre, topic, ONLY_WARNS, **{"notify.per_hour": 8})
    app.cycle.run(until=None)
    topic.until(6)
    for number in range(4):
        events.log_rules_rejected([f"wrong {number}"])

    sent = [one.attributes["event"] for one in topic.until(8)]
    until(lambda: app.notices.waiting == 6)

    assert sent == ["contact.warned"] * 6 + ["rules.rejected"] * 2
    centre.clock.travel(HOUR)
    events.log_rules_rejected(["later"])
    closing = {one.subject.rpartition(" ")[2]: one.attributes["level"] for one in topic.until(10)[8:]}
    rest(app)
    assert closing == {"3": "error", "4": "warning"}


def test_while_the_ledger_fails_errors_are_sent_from_memory(centre, topic, monkeypatch):
    app = notifying(centre, topic)
    problem = LedgerUnavailable("ledger.db: disk full")

    def full(*_):
        raise problem

    monkeypatch.setattr(app.ledger, "writing", full)
    app.ledger._together._writing = full
    events.log_ledger_failed(problem)
    (message,) = topic.until(1)
    time.sleep(0.2)
    assert message.attributes["event"] == "ledger.failed"
    assert len(topic.received()) == 1


def test_a_response_that_is_lost_leads_to_a_second_message_and_not_to_none(centre, topic):
    topic.proxy.lose_answers[PUBLISH] = 1
    app = notifying(centre, topic)
    events.log_rules_rejected(["wrong"])
    rest(app)
    topic.until(2)
    assert len({one.body for one in topic.received()}) == 1


def test_a_message_that_sns_will_never_accept_stands_in_no_other_s_way(centre, topic):
    topic.refuse("InvalidParameter", 400)
    app = notifying(centre, topic)
    events.log_rules_rejected(["wrong"])
    rest(app)
    topic.accept()
    events.log_rules_rejected(["wrong again"])
    (message,) = topic.until(1)
    assert "wrong again" in message.body
    assert app.notices.failed == 1


def test_the_outbox_forgets_the_text_of_what_was_sent(centre, topic):
    app = notifying(centre, topic)
    events.log_rules_rejected(["wrong"])
    topic.until(1)
    centre.end(app)
    app = notifying(centre, topic)
    (row,) = app.ledger.rows("SELECT * FROM notices WHERE instance = :instance", {})
    assert (row["state"], row["body"], row["subject"]) == ("sent", "", "")
    assert Outbox(app.ledger).waiting() == ()


def test_check_live_reads_the_topic_and_sends_nothing(bench, topic):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text() + f'\n[notify]\nsns_topic = "{topic.arn}"\n')
    there = bench.run("check", "--live", AWS_ENDPOINT_URL_SNS=topic.proxy.endpoint)
    config.write_text(config.read_text().replace(topic.arn, f"{topic.arn}-gone"))
    gone = bench.run("check", "--live", AWS_ENDPOINT_URL_SNS=topic.proxy.endpoint)
    assert (there.returncode, there.stderr) == (0, "")
    assert gone.returncode == 1
    line = config.read_text().splitlines().index("[notify]") + 2
    assert gone.stderr.startswith(f"config.toml:{line}:13: {topic.arn}-gone cannot be read: NotFound: ")
    assert topic.received() == []


@pytest.mark.parametrize("options", [(), ("--observe",)])
def test_the_policy_has_the_topic_and_is_the_same_without_one_otherwise(bench, options):
    arn = "arn:aws-cn:sns:cn-north-1:123456789012:alarm"
    without = bench.json("policy", *options)["Statement"]
    there = bench.json("policy", *options, "--set", f"notify.sns_topic={arn}")["Statement"]
    (added,) = [one for one in there if one not in without]
    assert len(there) == len(without) + 1
    assert (added["Action"], added["Resource"]) == (["sns:GetTopicAttributes", "sns:Publish"], [arn])


def test_the_demo_sends_nothing(bench, topic):
    done = bench.run(
        "demo", "--seconds", "3", "--set", f"notify.sns_topic={topic.arn}", AWS_ENDPOINT_URL_SNS=topic.proxy.endpoint
    )
    assert done.returncode == 0, done.stderr
    assert topic.received() == []


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sns:us-east-1:123456789012:orders.fifo",
        "arn:aws:sqs:us-east-1:123456789012:orders",
        "arn:aws:sns:us-east-1:123456789012:orders:11111111-2222-3333-4444-555555555555",
        "orders",
    ],
)
def test_only_the_arn_of_a_standard_topic_is_accepted(bench, arn):
    done = bench.run("check", "--set", f"notify.sns_topic={arn}")
    assert done.returncode == 2
    assert "is no ARN of a standard SNS topic" in done.stderr


def test_only_the_router_that_works_sends(centre, topic):
    app = notifying(centre, topic, ONLY_WARNS)
    works = True
    app.notices.working = lambda: works
    works = False
    events.log_rules_rejected(["of a standby router"])
    time.sleep(0.1)
    works = True
    events.log_rules_rejected(["of the active one"])
    (message,) = topic.until(1)
    assert "of the active one" in message.body


def test_the_region_is_the_topic_s():
    topic = Topic.open("arn:aws-us-gov:sns:us-gov-west-1:123456789012:t")
    assert topic.client.meta.endpoint_url == "https://sns.us-gov-west-1.amazonaws.com"


def test_a_broken_promise_has_its_message_in_the_ledger_together_with_its_record(centre, topic):
    held = LATE_RULE.replace("}]", ", slots_available = { min = 1 } }]")
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(held, **{"notify.sns_topic": topic.arn})
    for _ in range(3):
        app.cycle.run(until=None)  # nothing hears it: as if the process were killed right after its record
    centre.end(app)
    assert topic.received() == []
    notifying(centre, topic, held)
    (message,) = topic.until(1)
    assert message.attributes["event"] == "contact.breached"
    assert contact in message.body
