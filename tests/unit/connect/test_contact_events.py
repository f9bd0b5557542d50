"""Checks that contact events are read leniently, and that none of them raises."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.connect.contact_events import EventReader, arn_of, region_of
from router.model import ContactEvent, IgnoredReason, Phase
from tests.builders.contact_events import READER, envelope, message, read
from tests.builders.contacts import NOW


def test_a_queued_event_shows_who_waits_where_since_when():
    event = read(envelope(tags={"team": "gold"}, previousContactId="c0", initialContactId="c00"))
    contact = event.contact
    assert (event.phase, event.at, event.event_id[:6]) == (Phase.QUEUED, contact.enqueued_at, "event-")
    assert contact.enqueued_at == NOW - timedelta(minutes=2) + timedelta(milliseconds=123)
    assert (contact.id, contact.queue_id, contact.chain_id, contact.previous_id) == ("c1", "billing", "c00", "c0")
    assert contact.tags == {"team": "gold"}
    assert contact.partial


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        ("QUEUED", Phase.QUEUED),
        ("CONNECTED_TO_AGENT", Phase.WITH_AGENT),
        ("DISCONNECTED", Phase.GONE),
        ("COMPLETED", Phase.GONE),
        ("PAUSED", Phase.CHANGED),
        ("RESUMED", Phase.CHANGED),
    ],
)
def test_every_type_in_use_has_its_phase(kind, phase):
    assert read(envelope(kind)).phase is phase


@pytest.mark.parametrize("kind", ["INITIATED", "CONTACT_DATA_UPDATED", "AMD_DISABLED", "SOMETHING_NEW", None, ""])
def test_other_types_are_of_no_use(kind):
    assert read(envelope(kind)) is IgnoredReason.UNUSED_TYPE


@pytest.mark.parametrize("given_time", [None, "", "1970-01-01T00:00:00.001Z", "never", 7, True, [], {}])
def test_a_time_that_is_none_is_not_known_and_the_envelope_s_counts(given_time):
    body = envelope()
    body["detail"]["queueInfo"]["enqueueTimestamp"] = given_time
    event = read(body)
    assert event.contact.enqueued_at is None
    assert event.at == event.sent_at == NOW - timedelta(seconds=1)


def pascal(value):
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    return value


@pytest.mark.parametrize(
    "form",
    [
        lambda body: {**body, "detail": pascal(body["detail"])},
        lambda body: {"Type": "Notification", "Message": json.dumps(body)},
        lambda body: body["detail"],
    ],
    ids=["pascal", "notification of SNS", "detail alone"],
)
def test_other_forms_of_a_message_hold_the_same_event(form):
    body = envelope()
    event, same = read(body), read(form(body))
    assert (same.phase, same.at, same.contact) == (event.phase, event.at, event.contact)


def test_of_the_detail_alone_the_message_is_the_envelope():
    event = read(envelope()["detail"])
    assert (event.event_id, event.sent_at) == ("m1", NOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": "my.app"}, IgnoredReason.OTHER_SOURCE),
        ({"detail-type": "Amazon Connect Agent Event"}, IgnoredReason.OTHER_SOURCE),
        ({"time": "2026-03-02T12:02:00Z"}, IgnoredReason.FUTURE),
        ({"detail": []}, IgnoredReason.UNREADABLE),
        ({"detail": {}}, IgnoredReason.UNREADABLE),
    ],
)
def test_other_envelopes_are_ignored_with_their_reason(change, reason):
    assert read({**envelope(), **change}) is reason


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"channel": "VOICE"}, IgnoredReason.OTHER_CHANNEL),
        ({"channel": None}, IgnoredReason.OTHER_CHANNEL),
        ({"instanceArn": "arn:aws:connect:us-east-1:1:instance/other"}, IgnoredReason.OTHER_INSTANCE),
        ({"instanceArn": None}, IgnoredReason.UNREADABLE),
        ({"contactId": ""}, IgnoredReason.UNREADABLE),
        ({"contactId": "x" * 300}, IgnoredReason.UNREADABLE),
        ({"contactId": "c\n1"}, IgnoredReason.UNREADABLE),
        ({"contactId": "\ud800"}, IgnoredReason.UNREADABLE),
        ({"tags": {"team": "\udfff"}}, IgnoredReason.UNREADABLE),
        ({"queueInfo": "billing"}, IgnoredReason.UNREADABLE),
    ],
)
def test_other_details_are_ignored_with_their_reason(detail, reason):
    assert read(envelope(**detail)) is reason


def test_a_wait_that_begins_in_the_future_is_not_believed():
    body = envelope()
    body["detail"]["queueInfo"]["enqueueTimestamp"] = "2026-03-02T12:01:01Z"
    assert read(body) is IgnoredReason.FUTURE


def test_a_reader_without_channels_uses_nothing():
    assert EventReader("i").read(message(envelope()), NOW) is IgnoredReason.OTHER_INSTANCE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(max_size=200) | JSON.map(json.dumps))
def test_no_message_whatever_raises(body):
    assert isinstance(READER.read(message(body), NOW), ContactEvent | IgnoredReason)


MEMBERS = ["eventType", "contactId", "channel", "queueInfo", "agentInfo", "tags", "initiationTimestamp", "instanceArn"]


@given(st.sampled_from(MEMBERS), JSON, st.sampled_from(["id", "time", "source", "detail-type"]), JSON)
def test_no_member_of_any_kind_raises(member, value, of_envelope, other):
    body = envelope(**{member: value})
    body[of_envelope] = other
    assert isinstance(read(body), ContactEvent | IgnoredReason)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-2.amazonaws.com/111122223333/q", "eu-west-2"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", "cn-north-1"),
        ("https://us-gov-west-1.queue.amazonaws.com/111122223333/q", "us-gov-west-1"),
        ("https://queue.amazonaws.com/111122223333/q", None),
        ("http://127.0.0.1:4571/111122223333/q", None),
    ],
)
def test_the_region_is_the_url_s(url, region):
    assert region_of(url) == region
    assert arn_of(url, "aws", "us-east-1") == f"arn:aws:sqs:{region or 'us-east-1'}:111122223333:q"
