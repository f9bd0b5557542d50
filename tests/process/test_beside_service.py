"""Checks that ``plan`` and ``explain`` take mode and waiting list from the running service, and then make no search."""

from datetime import timedelta

import pytest

from router.search.planner import SearchPlanner

FULL = 'to = [{ queue = "Billing Overflow", contacts_in_queue = { max = 0 }, agents_staffed = { min = 1 } }]'


@pytest.fixture
def served(bench, reading, ending):
    """Holds a bench whose service enforces, although its configuration has observe, and finds no way for a contact."""
    rules = bench.folder / "rules" / "10-late.toml"
    rules.write_text(rules.read_text().replace('to = [{ queue = "Billing Overflow" }]', FULL))
    bench.contact_id = bench.enqueue(waited=timedelta(minutes=75))
    service = bench.start("run", "--enforce")
    reading(service, "cycle.finished")
    yield bench
    ending(service)


def test_the_mode_of_the_service_counts_and_nothing_is_searched(served, monkeypatch):
    monkeypatch.setattr(SearchPlanner, "search_everything", lambda *_, **__: pytest.fail("it searched"))

    plan = served.run("plan")
    explained = served.run("explain", served.contact_id[:8])
    observed = served.run("explain", served.contact_id, "--observe")

    assert "mode enforce (of the running service)" in plan.stderr
    assert "no_eligible_destination" in plan.stdout
    assert "(observe)" not in plan.stdout
    assert "step 2, mode enforce" in explained.stdout
    assert explained.stderr == "mode enforce (of the running service); the configuration has observe\n"
    assert "step 2, mode observe" in observed.stdout
    assert observed.stderr == ""


def test_rules_that_meet_other_queues_than_those_of_the_service_need_a_search(served):
    (served.folder / "rules" / "20-more.toml").write_text('[[rule]]\nname = "more"\nmatch = { queue = "General" }\n')

    plan = served.run("plan")

    assert plan.returncode == 0, plan.stderr
    assert "used the service's quota of SearchContacts: the service does not search all queues" in plan.stderr
    assert "mode enforce (of the running service)" in plan.stderr
