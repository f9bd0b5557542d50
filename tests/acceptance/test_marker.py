"""Tests that one run at a time works in an instance, and that a run stops if its resources are taken away."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.acceptance import marker
from router.acceptance.lab import MARKER
from router.acceptance.marker import LIFE, SuiteStopped, take
from router.acceptance.safeguards import SuiteRefused
from router.acceptance.setup import make_resources


@pytest.fixture
def only_main_job(monkeypatch):
    """Leaves out the probes."""
    monkeypatch.setattr("router.acceptance.suite.probes", list)


def another(bench):
    """Returns the bench of another run in the same instance."""
    return replace(bench, lines=[])


def held(bench):
    """Returns the marker of the sandbox, ``None`` if there is none."""
    return next((each for each in bench.sandbox.world.state.register.hours.values() if each.name == MARKER), None)


def test_a_second_run_is_refused_with_the_holder_and_what_to_do_and_the_first_is_not_disturbed(bench):
    refusals = []

    def begin_another(lab):
        before = bench.remains()
        with pytest.raises(SuiteRefused) as refused:
            another(bench).perform()
        refusals.append((str(refused.value), lab.run_id))
        assert bench.remains() == before
        return []

    run = bench.perform(prove=begin_another)
    [(line, run_id)] = refusals
    assert line.startswith(f"the run {run_id} of ")
    assert "works in this instance since 2026-03-10T12:00:0" in line
    assert "wait until it ends. If it was killed, start this command after 2026-03-10T12:" in line
    assert run.passed
    assert bench.remains() == []


@pytest.mark.usefixtures("only_main_job")
@pytest.mark.parametrize(
    ("number", "elsewhere", "overrides"), [(4194305, False, True), (4194305, True, False), (1, False, False)]
)
def test_a_marker_is_overridden_at_once_only_if_its_process_ran_on_this_machine_and_is_gone(
    bench, monkeypatch, number, elsewhere, overrides
):
    with monkeypatch.context() as patched:
        patched.setattr(marker, "router_name", lambda: f"there:{number}")
        if elsewhere:
            patched.setattr(marker, "this_machine", lambda: "another")
        take(bench.open_lab(), bench.lines.append)
    if overrides:
        bench.perform()
        assert any(
            "overriding the marker" in line and "process on this machine is gone" in line for line in bench.lines
        )
        assert bench.remains() == []
    else:
        with pytest.raises(SuiteRefused, match=f"of there:{number} works in this instance"):
            bench.perform()


@pytest.mark.usefixtures("only_main_job")
def test_a_marker_that_has_ended_is_overridden_with_a_line(bench):
    take(bench.open_lab(), bench.lines.append)
    bench.clock.sleep(LIFE.total_seconds() + 2)
    bench.perform()
    assert any("because its marker has ended" in line for line in bench.lines)
    assert bench.remains() == []


def test_a_marker_is_renewed_as_long_as_its_run_lasts(bench):
    ends = []

    def look(_):
        if held(bench) is not None and bench.lab is not None:
            until = marker.Holder.read({"Tags": held(bench).tags, "Description": held(bench).description}).until
            ends.append(until - bench.clock.now())

    bench.sandbox.after("SearchContacts", look)
    bench.perform(length="full")
    assert bench.clock.monotonic() > timedelta(minutes=60).total_seconds()
    assert min(ends) > LIFE - timedelta(minutes=2)


@pytest.mark.usefixtures("only_main_job")
def test_a_run_whose_marker_another_run_has_taken_stops_and_removes_only_its_own(bench):
    other = another(bench).open_lab()

    def take_over(lab):
        bench.sandbox.world.remove(MARKER)
        take(other, bench.lines.append)
        other.resources = make_resources(other)
        lab.sleep(90.0)
        raise AssertionError("the run has not stopped")

    with pytest.raises(SuiteStopped, match=f"the run {other.run_id} of .* took away the marker"):
        bench.perform(prove=take_over)
    assert sorted(bench.remains()) == sorted(
        [MARKER, *(other.name(each) for each in ("hours", "queue-a", "queue-b", "inbound", "transfer"))]
    )


@pytest.mark.usefixtures("only_main_job")
@pytest.mark.parametrize("part", ["queue-b", "inbound", "transfer"])
def test_a_run_whose_queue_or_flow_is_deleted_by_somebody_stops(bench, part):
    def delete(lab):
        bench.sandbox.world.remove(lab.name(part))
        return []

    with pytest.raises(SuiteStopped, match=r"somebody deleted the (queue|flow) .* of this run: the run was stopped"):
        bench.perform(prove=delete)
    assert bench.remains() == bench.run.left == []


@pytest.mark.usefixtures("only_main_job")
def test_a_run_whose_marker_is_deleted_by_somebody_stops(bench):
    with pytest.raises(SuiteStopped, match="somebody took away the marker"):
        bench.perform(prove=lambda _: bench.sandbox.world.remove(MARKER) or [])
    assert bench.remains() == []


@pytest.mark.usefixtures("only_main_job")
def test_a_run_that_cannot_renew_its_marker_stops_when_it_has_ended(bench):
    bench.sandbox.world.faults.add("error_500", "UpdateHoursOfOperation", skip=1)

    def wait(lab):
        lab.sleep(LIFE.total_seconds() - 30)
        lab.sleep(120.0)
        raise AssertionError("the run has not stopped")

    with pytest.raises(SuiteStopped, match="has ended: UpdateHoursOfOperation failed"):
        bench.perform(prove=wait)
    assert bench.remains() == []


@pytest.mark.usefixtures("only_main_job")
def test_hours_of_operation_with_the_name_of_the_marker_and_without_the_tag_are_left_alone(bench):
    bench.sandbox.world.add_hours(MARKER)
    with pytest.raises(SuiteRefused, match="have no tag connect-router:acceptance-run: rename or delete them"):
        bench.perform()
    assert bench.remains() == [MARKER]


@pytest.mark.usefixtures("only_main_job")
def test_a_marker_without_a_readable_description_is_overridden(bench):
    bench.sandbox.world.add_hours(MARKER, description="Run me", tags={"connect-router:acceptance-run": "x"})
    bench.perform()
    assert bench.remains() == []


@pytest.mark.usefixtures("only_main_job")
@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "timeout_before", "error_500"])
def test_a_marker_whose_creation_had_no_answer_is_the_runs_own(bench, kind):
    bench.read_timeout_s = 0.3
    fault = bench.sandbox.world.faults.add(kind, "CreateHoursOfOperation", count=1, delay=timedelta(seconds=0.4))
    bench.perform()
    assert fault.fired == 1
    assert bench.remains() == []


@pytest.mark.usefixtures("only_main_job")
def test_what_earlier_runs_have_left_is_removed_by_a_run_without_setup_and_named(bench):
    world = bench.sandbox.world
    tagged, name = {"connect-router:acceptance-run": "0123abcd"}, "cr-acc-0123abcd"
    world.add_queue(f"{name}-queue-a", tags=tagged)
    world.add_queue("cr-acc-ordinary")
    world.add_queue("cr-acc-tagged", tags=tagged)
    world.add_hours("cr-acc-ordinary hours")
    for queue in ("Test A", "Test B"):
        world.add_queue(queue)
    world.add_flow("Test in", type="CONTACT_FLOW", outcome="elsewhere", elsewhere="Test A")
    bench.perform(setup=False, queues=("Test A", "Test B"), flows=("Test in", "Overflow to queue"))
    assert "removed of earlier runs: queue cr-acc-0123abcd-queue-a" in bench.lines
    assert bench.remains() == ["cr-acc-ordinary", "cr-acc-tagged", "cr-acc-ordinary hours"]


@pytest.mark.usefixtures("only_main_job")
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"agent": "tset.agent"}, "the instance has no agent \"tset.agent\" (did you mean 'test.agent'?)"),
        ({"agent": "zz"}, 'the instance has no agent "zz"'),
        (
            {"email": "acceptanec@example.com"},
            "the instance has no e-mail address \"acceptanec@example.com\" (did you mean 'acceptance@example.com'?)",
        ),
        (
            {"setup": False, "queues": ("Biling", "Test B"), "flows": ("Test in", "Overflow to queue")},
            "the instance has no queue \"Biling\" (did you mean 'Billing'?)",
        ),
        (
            {"setup": False, "queues": ("Billing", "Billing"), "flows": ("Test in", "Overflow to queue")},
            '--queues names "Billing" twice: it needs two queues',
        ),
        (
            {"setup": False, "queues": ("Billing", "Test B"), "flows": ("Test in", "Overflow to quue")},
            "the instance has no flow \"Overflow to quue\" (did you mean 'Overflow to queue'?)",
        ),
        (
            {"setup": False, "queues": ("Billing", "Test B"), "flows": ("Overflow to queue", "Test in")},
            '--flows: "Overflow to queue" has the type QUEUE_TRANSFER and needs the type CONTACT_FLOW',
        ),
        ({"setup": False}, "needs two queues without agents and two flows: --setup makes them, or name yours"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_before_anything_is_made(bench, options, line):
    bench.sandbox.world.add_queue("Test B")
    bench.sandbox.world.add_flow("Test in", type="CONTACT_FLOW")
    with pytest.raises(SuiteRefused) as refused:
        bench.perform(**options)
    assert str(refused.value).startswith(line)
    assert not any(call.operation.startswith(("Create", "Start")) for call in bench.sandbox.calls)


@pytest.mark.usefixtures("only_main_job")
@pytest.mark.parametrize("operation", ["ListUsers", "SearchEmailAddresses", "ListHoursOfOperations"])
def test_a_denied_list_is_refused_and_leaves_nothing_behind(bench, operation):
    bench.sandbox.world.faults.add("access_denied", operation)
    with pytest.raises(SuiteRefused, match=f"IAM denies connect:{operation}"):
        bench.perform()
    assert bench.remains() == []
