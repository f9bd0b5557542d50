"""Checks that a query's work does not grow with other data. Statements are counted and their plans read, not timed."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from router.ledger import SqliteLedger, statements
from router.model import Channel, Contact, ContactId, Landing

NOW, KEEP = datetime(2026, 3, 2, 9, 30, tzinfo=UTC), timedelta(days=120)


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory, act):
    """Writes 2,000 chains of two moves each, once."""
    path = tmp_path_factory.mktemp("filled", numbered=True) / "ledger.db"
    path.parent.chmod(0o700)
    with (
        SqliteLedger.open(path, instance_id="instance-1", now=NOW, keep=KEEP) as ledger,
        ledger.writing() as connection,  # as `record` does, in one transaction
    ):
        for number in range(2000):
            one, two, three = (ContactId(f"c-{number}-{part}") for part in (1, 2, 3))
            for action in (act(one, new_contact_id=two), act(two, chain_id=one, new_contact_id=three, at=act().at * 2)):
                statements.adopt(connection, "instance-1", action)
                ledger._insert(connection, action)
    return path


@pytest.fixture
def filled(filled_file, path, open_ledger):
    """Opens a copy of that ledger."""
    shutil.copy(filled_file, path)
    return open_ledger()


@pytest.mark.parametrize("count", [1, 5000])
def test_the_histories_of_any_number_of_contacts_are_one_statement(filled, count):
    contacts = [
        Contact(
            id=ContactId(f"c-{number}-3"),
            channel=Channel.TASK,
            previous_id=ContactId(f"c-{number}-2"),
            initial_id=ContactId(f"c-{number}-1"),
        )
        for number in range(count)
    ]
    seen: list[str] = []
    filled._connection.set_trace_callback(seen.append)

    histories = filled.histories(contacts)

    assert len(seen) == 1
    assert len(histories) == count
    assert {len(actions) for number, actions in enumerate(histories.values()) if number < 2000} == {2}
    assert {len(actions) for number, actions in enumerate(histories.values()) if number >= 2000} <= {0}


EVERY_CYCLE: dict[str, dict[str, str | int]] = {
    statements.OF_CONTACTS: {"asked": '[["c-1-1", "c-1-1"]]'},
    statements.OPEN_INTENTS: {},
    statements.FOLLOWED_MOVES: {},
    statements.MOVES_SINCE: {"since": 0},
    statements.DEAD_CHAINS: {"before": 0},
    statements.DELETE_ACTIONS: {"chains": "[]"},
    statements.DELETE_SEGMENTS: {"chains": "[]"},
}


def reads_everything(step: str) -> bool:
    """Returns whether a step of a plan walks a table, or an index of it by the instance alone.

    The index of open actions may be walked, because few actions are open at a time.
    """
    walks = step.startswith("SCAN") and "json_each" not in step and "asked" not in step
    return walks or (step.endswith("(instance=?)") and "actions_open" not in step)


@pytest.mark.parametrize("analyzed", [True, False])
def test_no_statement_of_a_cycle_reads_the_whole_ledger(filled, analyzed):
    if analyzed:
        filled._connection.execute("ANALYZE")

    plans = {
        statement: [
            row["detail"]
            for row in filled._connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", {"instance": "instance-1", **values}
            )
        ]
        for statement, values in EVERY_CYCLE.items()
    }

    assert all(plans.values())
    assert {statement: plan for statement, plan in plans.items() if any(map(reads_everything, plan))} == {}


def test_a_write_is_a_handful_of_statements_however_full_the_ledger_is(filled, act):
    seen: list[str] = []
    filled._connection.set_trace_callback(seen.append)
    filled.record(act("another", landing=Landing.PENDING))

    assert len(seen) <= 9
