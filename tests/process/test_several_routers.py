"""Runs real processes on one DynamoDB table and one contact centre. One is active, the others are standby routers."""

from __future__ import annotations

import json
import signal
import threading
import time

import pytest

from router.ledger.shared.table import DynamoTable
from tests.builders import tables
from tests.builders.effort import patience
from tests.builders.losing import LosingProxy
from tests.chaos.routers import TAKES_OVER_WITHIN_S, fleet, make_table, until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def routers(tmp_path):
    with fleet(tmp_path) as running:
        make_table(running)
        yield running


def working(running):
    """Returns the first router after it has become active."""
    first = running.start()
    assert until(lambda: first.holding_since is not None and first.told("service.ready"), patience(40)) is not None
    return first


def standing_by(running):
    """Starts another router, and waits until it is ready."""
    other = running.start()
    assert until(lambda: other.told("service.ready"), patience(40)) is not None
    return other


def moved(running):
    return len(running.sandbox.world.transfers)


def items(running):
    table = DynamoTable(tables.client_of(running.endpoint), running.table)
    return list(table.between(running.sandbox.instance_id, "!", "~"))


def test_a_killed_router_is_replaced_within_half_a_minute_and_nothing_is_moved_twice(routers):
    first, second = working(routers), standing_by(routers)
    routers.arrive(3)
    assert until(lambda: moved(routers) == 3, patience(30)) is not None
    routers.arrive(12)
    assert until(lambda: moved(routers) > 4, patience(30)) is not None, "it dies with moves under way"
    first.end(signal.SIGKILL)

    assert until(lambda: second.holding_since is not None, patience(TAKES_OVER_WITHIN_S)) is not None
    assert until(lambda: not routers.waiting(), patience(30)) is not None
    assert routers.twice() == []
    assert second.told("contact.transferred")
    assert [told["mode"] for _, told in second.told("service.started")] == ["standby"]
    assert [told["mode"] for _, told in second.told("service.turned")] == ["enforce"]
    assert second.end(signal.SIGTERM) == 0


def test_a_router_that_ends_in_order_is_replaced_at_once(routers):
    first, second = working(routers), standing_by(routers)
    routers.arrive(2)

    assert first.end(signal.SIGTERM) == 0

    took = until(lambda: second.holding_since is not None, patience(TAKES_OVER_WITHIN_S))
    assert took is not None
    assert took < patience(8)
    assert [told["term"] for _, told in second.told("lease.acquired")] == [2]
    assert until(lambda: not routers.waiting(), patience(30)) is not None
    assert routers.twice() == []


def test_a_router_that_was_stopped_finds_its_turn_over_and_only_observes(routers):
    first, second = working(routers), standing_by(routers)
    first.process.send_signal(signal.SIGSTOP)
    assert until(lambda: second.holding_since is not None, patience(TAKES_OVER_WITHIN_S)) is not None
    routers.arrive(4)
    first.process.send_signal(signal.SIGCONT)

    assert until(lambda: first.told("lease.lost"), patience(20)) is not None
    assert until(lambda: not routers.waiting(), patience(30)) is not None
    assert routers.twice() == []
    (lost,) = first.told("lease.lost")
    assert lost[1]["level"] == "warning"
    assert until(lambda: first.told("service.turned"), patience(20)) is not None
    assert not [told for at, told in first.told("contact.transferred") if at > lost[0]]
    # ... and it is ready to work again.
    second.end(signal.SIGKILL)
    assert until(lambda: len(first.told("lease.acquired")) == 2, patience(TAKES_OVER_WITHIN_S)) is not None
    routers.arrive(1)
    assert until(lambda: not routers.waiting(), patience(30)) is not None
    assert routers.twice() == []


def test_a_router_that_cannot_reach_the_table_stops_moving_and_goes_on_when_it_can(tmp_path):
    with fleet(tmp_path) as running, LosingProxy(running.endpoint) as proxy:
        running.environment["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.endpoint
        make_table(running)
        router = working(running)
        running.arrive(1)
        assert until(lambda: not running.waiting(), patience(30)) is not None
        proxy.lose_requests.update(dict.fromkeys(("PutItem", "GetItem", "Query", "DeleteItem"), 10**6))
        running.arrive(2)

        assert until(lambda: router.told("lease.lost"), patience(30)) is not None
        assert until(lambda: router.told("service.turned"), patience(20)) is not None
        assert len(running.waiting()) == 2
        assert any(told["event"] == "ledger.failed" for _, told in router.lines)
        proxy.lose_requests.clear()

        assert until(lambda: not running.waiting(), patience(40)) is not None
        assert running.twice() == []
        assert router.end(signal.SIGTERM) == 0


def test_a_router_that_stands_by_tells_who_works_and_changes_nothing(routers):
    first, second = working(routers), standing_by(routers)
    name = f":{first.process.pid}"

    status = json.loads(routers.run("status", "--json").stdout)
    assert (status["mode"], status["lease"]["held"], status["lease"]["term"]) == ("standby", False, 1)
    assert status["lease"]["holder"].endswith(name)
    assert status["ledger"]["url"] == f"dynamodb:{routers.table}"
    assert f"{name} is active on dynamodb:{routers.table}, turn 1" in routers.run("status").stdout

    for change in (("pause", "--all", "--for", "10m", "--comment", "why"), ("retry",)):
        refused = routers.run(*change)
        assert refused.returncode == 1
        assert f"nothing is changed: dynamodb:{routers.table}: this router only observes; " in refused.stderr
        assert f"{name} does" in refused.stderr

    once = routers.run("run", "--once")
    assert once.returncode == 1
    assert f"{name} holds the lease" in once.stderr
    assert second.holding_since is None

    deadline = time.monotonic() + 60
    while len(first.told("cycle.finished")) <= 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(first.told("cycle.finished")) > 5, "a standby router would have polled as often"
    assert not second.told("cycle.finished")
    status = json.loads(routers.run("status", "--json").stdout)
    calls = {one["operation"]: one["calls"] for one in status["quotas"] if one["calls"]}
    assert calls.pop("SearchContacts") == 1, "the check of the permission"
    assert calls.pop("DescribeContact") == 1
    assert max(calls.values()) <= 2, calls
    assert (status["healthy"], status["cycle"]) == (True, None)
    assert "calls Amazon Connect when it takes over" in routers.run("status").stdout


def test_pauses_set_where_the_work_is_done_hold_after_a_take_over(routers):
    first = working(routers)
    assert routers.run("pause", "--all", "--for", "10m", "--comment", "a bad day").returncode == 0
    second = standing_by(routers)
    assert until(lambda: json.loads(routers.run("status", "--json").stdout)["pauses"], patience(20)) is not None
    first.end(signal.SIGTERM)
    assert until(lambda: second.holding_since is not None, patience(TAKES_OVER_WITHIN_S)) is not None
    routers.arrive(1)

    assert until(lambda: second.told("contact.held"), patience(30)) is not None
    assert second.told("contact.held")[-1][1]["reason"] == "operator_pause"
    assert len(routers.waiting()) == 1


def test_a_router_that_is_to_observe_neither_takes_the_lease_nor_writes_anything(routers):
    routers.environment["CONNECT_ROUTER_EXECUTE__MODE"] = "observe"
    routers.arrive(2)
    router = routers.start()

    assert until(lambda: len(router.told("contact.would_transfer")) == 2, patience(40)) is not None
    assert until(lambda: len(router.told("cycle.finished")) > 3, patience(30)) is not None
    assert router.end(signal.SIGTERM) == 0
    assert items(routers) == []
    assert not router.told("lease.acquired")


def test_one_pass_takes_the_turn_and_gives_it_back(routers):
    routers.arrive(2)
    router = routers.start()
    assert until(lambda: router.holding_since is not None, patience(40)) is not None
    router.end(signal.SIGKILL)
    routers.arrive(2)

    done = routers.run("run", "--once")

    assert done.returncode == 0, done.stderr
    assert routers.waiting() == []
    assert routers.twice() == []
    assert not [item for item in items(routers) if item["entry"] == "lease"]
    history = json.loads(routers.run("history", "--json").stdout)
    assert len([action for action in history if action["kind"] == "transfer"]) == 4


def test_a_router_ends_within_ten_seconds_though_its_table_does_not_answer(tmp_path):
    with fleet(tmp_path) as running, LosingProxy(running.endpoint) as proxy:
        running.environment["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.endpoint
        make_table(running)
        router = working(running)
        hangs, asked = threading.Event(), threading.Event()

        def hang(_operation, _body):
            asked.set()
            hangs.wait(60)

        proxy.before = hang
        running.arrive(1)
        assert asked.wait(20)
        began = time.monotonic()

        assert router.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < patience(10)
        hangs.set()
        assert running.twice() == []
