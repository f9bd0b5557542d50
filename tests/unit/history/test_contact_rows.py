"""Checks that contacts are read from Connect's own records, and that every row that cannot be used is counted."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from router.history.contact_rows import HistoryUnusable, open_records
from router.history.world import Fidelity, Leaving, stays
from router.model import Details

QUEUE = "arn:aws:connect:us-east-1:111122223333:instance/i/queue/q-1"
AGENT = "arn:aws:connect:us-east-1:111122223333:instance/i/agent/a-1"


def record(contact_id="c-1", **changes):
    return {
        "ContactId": contact_id,
        "InitialContactId": None,
        "PreviousContactId": None,
        "Channel": "TASK",
        "InitiationMethod": "API",
        "InitiationTimestamp": "2026-11-02T08:59:58Z",
        "DisconnectTimestamp": "2026-11-02T09:40:00Z",
        "LastUpdateTimestamp": "2026-11-02T09:41:00Z",
        "Queue": {
            "ARN": QUEUE,
            "Name": "Billing",
            "EnqueueTimestamp": "2026-11-02T09:00:00Z",
            "DequeueTimestamp": "2026-11-02T09:30:00Z",
            "Duration": 1800,
        },
        "Agent": {
            "ARN": AGENT,
            "ConnectedToAgentTimestamp": "2026-11-02T09:30:00Z",
            "AgentInteractionDuration": 540,
            "AfterContactWorkDuration": 60,
        },
        "Attributes": {"tier": "vip"},
    } | changes


@pytest.fixture
def opened(tmp_path):
    def open_text(text, name="records", *, squeezed=False):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if squeezed else text.encode())
        return open_records(path)

    return open_text


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
@pytest.mark.parametrize("squeezed", [True, False])
def test_records_of_kinesis_and_firehose_are_read_whatever_is_between_them(opened, between, squeezed):
    found = opened(between.join(json.dumps(record(f"c-{n}")) for n in range(3)), squeezed=squeezed)
    assert sorted(found.rows) == ["c-0", "c-1", "c-2"]
    assert found.fidelity is Fidelity.RECONSTRUCTED
    (stay, *_) = stays(found.events())
    assert (stay.contact.queue_id, stay.agent_id, stay.how) == ("q-1", "a-1", Leaving.ANSWERED)
    assert stay.enqueued_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert (stay.left_at, stay.handle_time) == (datetime(2026, 11, 2, 9, 30, tzinfo=UTC), timedelta(minutes=10))
    assert stay.contact.details == Details(attributes={"tier": "vip"})


def test_of_several_records_of_a_contact_the_one_updated_last_counts(opened):
    late = record(Channel="EMAIL", LastUpdateTimestamp="2026-11-08T00:00:00Z")
    for order in ([late, record()], [record(), late]):
        found = opened("\n".join(map(json.dumps, order)))
        assert [row.contact.channel for row in found.rows.values()] == ["EMAIL"]
        assert found.rejected == {"replaced by a later record of the contact": 1}


def test_every_row_that_cannot_be_used_is_counted_by_reason(opened):
    broken = [
        record(Channel="VOICE"),
        record(Queue=None),
        record(ContactId=None),
        record(Queue={"ARN": QUEUE, "Name": "Billing", "EnqueueTimestamp": "at noon"}),
        record(Queue={"ARN": QUEUE, "Name": "Billing"}),
        record(Queue={**record()["Queue"], "DequeueTimestamp": "2026-11-02T08:00:00Z"}),
        17,
    ]
    text = "\n".join(map(json.dumps, [*broken, record("good")])) + '\n{"ContactId": "torn'
    found = opened(text)
    assert list(found.rows) == ["good"]
    assert found.rejected == Counter(
        {
            "of another channel": 1,
            "that were in no queue": 1,
            "without a contact id": 1,
            "with a time that cannot be read": 1,
            "without the time of entering the queue": 1,
            "that left the queue before they entered it": 1,
            "no contact record": 1,
            "no JSON": 1,
        }
    )


def test_an_export_of_the_data_lake_is_read_by_the_names_of_its_columns(opened):
    text = (
        "channel,contact_id,queue_name,queue_id,queue_enqueue_timestamp,queue_duration_ms,attributes\n"
        'TASK,c-1,Billing,q-1,2026-11-02 09:00:00.000 UTC,60000,"{""tier"": ""vip""}"\n'
        "EMAIL,c-2,Billing,q-1,2026-11-02 09:00:00.000,,\n"
    )
    found = opened(text, "export.csv")
    assert found.fidelity is Fidelity.COARSE  # the second row does not have when it left
    one, two = (found.rows[name] for name in ("c-1", "c-2"))
    assert (one.left_at - one.contact.enqueued_at, two.left_at) == (timedelta(minutes=1), None)
    assert one.contact.details.attributes == {"tier": "vip"}


def test_files_without_a_contact_are_refused_with_the_reasons(opened):
    with pytest.raises(HistoryUnusable, match="1 of another channel"):
        opened(json.dumps(record(Channel="CHAT")))
    with pytest.raises(HistoryUnusable, match="no rows"):
        opened("")
    with pytest.raises(HistoryUnusable, match="Parquet"):
        opened("PAR1....")
