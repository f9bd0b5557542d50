"""A process that is killed in the middle of its work: the next one moves what is left, and nothing twice."""

import signal
import threading

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
        if len(calls) == 3 and not killed.is_set():
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
