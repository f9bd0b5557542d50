"""Checks that contacts are read from Connect's own records, and that every row that cannot be used is counted."""

import gzip
import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from router.history import parquet_rows
from router.history.contact_rows import open_records, row_of_export
from router.history.world import Fidelity, HistoryUnusable, Leaving, stays
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


def test_a_contact_that_an_agent_takes_in_the_second_in_which_it_was_queued_leaves(opened):
    queue = record()["Queue"] | {"DequeueTimestamp": "2026-11-02T09:00:00Z", "Duration": 0}
    (stay,) = stays(opened(json.dumps(record(Queue=queue))).events())
    assert stay.left_at == stay.enqueued_at
    assert stay.how is Leaving.ANSWERED


def test_every_row_that_cannot_be_used_is_counted_by_reason(opened):
    broken = [
        record(Channel="VOICE"),
        record(Queue=None),
        record(ContactId=None),
        record(Queue={"ARN": QUEUE, "Name": "Billing", "EnqueueTimestamp": "at noon"}),
        record(Queue={"ARN": QUEUE, "Name": "Billing"}),
        record(Queue={**record()["Queue"], "DequeueTimestamp": "2026-11-02T08:00:00Z"}),
        17,
        record(Queue={**record()["Queue"], "EnqueueTimestamp": "9999-12-31T23:59:59-12:00"}),
        record(Queue={**record()["Queue"], "EnqueueTimestamp": "0001-01-01T00:00:00Z"}),
        record(Queue=7),
        record(Agent="none"),
    ]
    deep = "[" * 100_000
    text = "\n".join([*map(json.dumps, broken), deep, json.dumps(record("good"))]) + '\n{"ContactId": "torn'
    found = opened(text)
    assert list(found.rows) == ["good"]
    assert found.rejected == Counter(
        {
            "of another channel": 1,
            "that were in no queue": 1,
            "without a contact id": 1,
            "with a time that cannot be read": 3,
            "without the time of entering the queue": 1,
            "that left the queue before they entered it": 1,
            "no contact record": 3,
            "no JSON": 2,
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


NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def written(tmp_path):
    """Writes columns as a Parquet file in groups of two rows."""
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def write(**columns):
        count = max(len(column) for column in columns.values())
        columns = {"contact_id": [f"c-{n}" for n in range(count)], "queue_id": ["q-1"] * count} | columns
        path = tmp_path / "export.parquet"
        parquet.write_table(
            arrow.table({"channel": ["TASK"] * count} | columns), path, row_group_size=2, write_page_checksum=True
        )
        return path

    return write


def times(kind, zone=None):
    import pyarrow as arrow

    return arrow.array([NOON.replace(tzinfo=None)], arrow.timestamp(kind, zone))


@pytest.mark.parametrize(
    "enqueued",
    [
        lambda: times("ms"),
        lambda: times("us", "UTC"),
        lambda: times("ns", "Europe/Berlin"),
        lambda: ["2026-11-02 12:00:00.000 UTC"],
        lambda: [b"2026-11-02T12:00:00Z"],
    ],
)
def test_a_parquet_file_has_times_as_timestamps_or_as_texts(written, enqueued):
    found = open_records(written(queue_enqueue_timestamp=enqueued(), queue_duration_ms=[60_000]))
    (row,) = found.rows.values()
    assert (row.contact.enqueued_at, row.left_at) == (NOON, NOON + timedelta(minutes=1))


def test_a_time_of_a_parquet_file_with_nanoseconds_is_read_to_the_microsecond(written):
    arrow = pytest.importorskip("pyarrow")
    instant = int(NOON.timestamp()) * 10**9 + 1001
    (row,) = open_records(written(queue_enqueue_timestamp=arrow.array([instant], arrow.timestamp("ns")))).rows.values()
    assert row.contact.enqueued_at == NOON + timedelta(microseconds=1)


@pytest.mark.parametrize("form", ["pairs", "text"])
def test_attributes_of_a_parquet_file_are_pairs_or_text(written, form):
    arrow = pytest.importorskip("pyarrow")
    pairs = arrow.array([[("tier", "vip"), ("none", None)]], arrow.map_(arrow.string(), arrow.string()))
    column = pairs if form == "pairs" else ['{"tier": "vip", "none": null}']
    (row,) = open_records(written(queue_enqueue_timestamp=[NOON], attributes=column)).rows.values()
    assert row.contact.details == Details(attributes={"tier": "vip"})


@pytest.mark.parametrize("attributes", [["abc"], [["a", "b", "c"]], ["[1, 2]"]])
def test_attributes_that_are_no_mapping_count_as_none(written, attributes):
    (row,) = open_records(written(queue_enqueue_timestamp=[NOON], attributes=attributes)).rows.values()
    assert row.contact.details == Details(attributes={})


def test_rows_of_a_parquet_file_that_cannot_be_used_are_counted(written):
    path = written(channel=["TASK", "VOICE", "EMAIL"], queue_enqueue_timestamp=[NOON, NOON, None])
    assert open_records(path).rejected == {"of another channel": 1, "without the time of entering the queue": 1}


def test_a_parquet_file_without_columns_of_contacts_is_refused_by_its_rows(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table({"other": [1, 2, 3]}), tmp_path / "export.parquet")
    with pytest.raises(HistoryUnusable, match="3 without a contact id"):
        open_records(tmp_path)


def test_of_a_parquet_file_only_the_columns_in_use_are_read():
    class Recorded(dict[str, object]):
        def get(self, name, default=None):
            used.add(name)
            return super().get(name, default)

    used: set[str] = set()
    base = {"contact_id": "c-1", "channel": "TASK", "queue_enqueue_timestamp": NOON}
    for queue in ({"queue_id": "q-1"}, {"queue_arn": QUEUE}):
        assert not isinstance(row_of_export(Recorded(base | queue)), str)
    assert used == parquet_rows.COLUMNS


def test_a_damaged_parquet_file_is_one_line_with_the_file_and_the_row(written, monkeypatch):
    monkeypatch.setattr(parquet_rows, "BATCH_ROWS", 2)
    path = written(queue_enqueue_timestamp=["2026-11-02T12:00:00Z"] * 2 + ["2026-11-02T13:00:00Z"] * 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(HistoryUnusable, match=r"export\.parquet is a damaged Parquet file, after row 0: [^\n]+$"):
        open_records(path)
    path.write_bytes(whole.replace(b"2026-11-02T13", b"2026-11-02Txx", 1))
    with pytest.raises(HistoryUnusable, match=r"export\.parquet is a damaged Parquet file, after row 2: [^\n]+$"):
        open_records(path)


def test_without_pyarrow_one_line_shows_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "export.parquet").write_bytes(b"PAR1....")
    with pytest.raises(HistoryUnusable, match=r"needs the package pyarrow: .+ install .*'pyarrow.*'$"):
        open_records(tmp_path)
