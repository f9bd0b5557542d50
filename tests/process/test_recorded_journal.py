"""Checks the journal of services that are killed: it can be read to its last whole record."""

import signal
from datetime import UTC, datetime, timedelta

from router.decide.decide import decide
from router.history.journal_reader import read_journal
from router.history.world import Acted, DecisionRecord, Gap, Looked, RulesRead
from router.rules.bind import bind
from router.rules.load import parse_rules

RUNS = 3


def test_a_journal_of_killed_services_is_readable_and_has_what_was_decided(bench, reading, ending):
    folder = bench.folder / "journal"
    bench.environment["CONNECT_ROUTER_JOURNAL__PATH"] = str(folder)
    for _ in range(RUNS):
        bench.enqueue()
        service = bench.start("run", "--enforce")
        reading(service, "contact.transferred")
        for _ in range(4):
            reading(service, "cycle.finished")
        service.send_signal(signal.SIGKILL)
        service.wait(10)
    last = bench.start("run", "--enforce")
    reading(last, "cycle.finished")
    ending(last)

    now = datetime.now(UTC)
    events = list(read_journal(folder, since=now - timedelta(days=1), until=now + timedelta(days=1)))
    moved = {one.decision.contact_id for one in events if isinstance(one, Acted) and one.decision.kind == "transfer"}
    assert moved == {transfer.contact_id for transfer in bench.sandbox.world.transfers}
    assert len(moved) == RUNS
    gaps = [one.why for one in events if isinstance(one, Gap)]
    assert gaps.count("the service did not run") == RUNS
    assert set(gaps) <= {"the service did not run", "the last record is torn"}
    (rules,) = {one.files for one in events if isinstance(one, RulesRead)}
    for look in (one for one in events if isinstance(one, Looked)):
        again = decide(look.snapshot, bind(parse_rules(rules), look.snapshot.directory, agents_known=True))
        assert look.decisions == tuple(DecisionRecord.of(one) for one in again.decisions)
