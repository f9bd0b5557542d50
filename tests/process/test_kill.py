"""A process that is killed in the middle of its work: the next one moves what is left, and nothing twice."""

import signal
import threading
from datetime import timedelta

import pytest

CONTACTS = 6


@pytest.mark.parametrize(
    ("when", "operation"),
    [
        ("before", "DescribeContact"),
        ("before", "TransferContact"),
        ("after", "TransferContact"),
        ("before", "SearchContacts"),
    ],
)
def test_a_killed_service_is_followed_by_one_that_moves_nothing_twice(bench, reading, ending, when, operation):
    late = {bench.enqueue() for _ in range(CONTACTS)}
    calls, killed = [], threading.Event()
    service = bench.start("run", "--enforce")

    def kill(_params):
        calls.append(1)
        if len(calls) == (2 if operation == "SearchContacts" else 3) and not killed.is_set():
            killed.set()
            service.send_signal(signal.SIGKILL)

    remove = getattr(bench.sandbox, when)(operation, kill)
    assert killed.wait(30)
    service.wait(10)
    remove()

    second = bench.start("run", "--enforce")
    reading(second, "service.ready")
    world = bench.sandbox.world
    while {transfer.contact_id for transfer in world.transfers} != late:
        reading(second, "cycle.finished")
    reading(second, "cycle.finished")
    ending(second)

    assert sorted(transfer.contact_id for transfer in world.transfers) == sorted(late)
    assert world.taken_from_agents == ()


BUMP = """
[[rule]]
name = "bump"
match = { queue = "Billing" }
[[rule.step]]
at = "1h"
routing = { age = "+10m" }
"""


def test_a_service_killed_between_a_routing_update_and_its_outcome_is_followed_by_one_that_reads_it(
    bench, reading, ending
):
    (bench.folder / "rules" / "10-late.toml").write_text(BUMP)
    contact, killed = bench.enqueue(), threading.Event()
    service = bench.start("run", "--enforce")

    def kill(_params):
        service.send_signal(signal.SIGKILL)
        killed.set()

    remove = bench.sandbox.after("UpdateContactRoutingData", kill)
    assert killed.wait(30)
    service.wait(10)
    remove()

    second = bench.start("run", "--enforce")
    recovered = reading(second, "contact.recovered")
    reading(second, "cycle.finished")
    ending(second)

    assert (recovered["contact_id"], recovered["outcome"]) == (contact, "acted")
    assert bench.sandbox.count("UpdateContactRoutingData") == 1
    assert bench.sandbox.world.contact(contact).adjustment == timedelta(minutes=10)
