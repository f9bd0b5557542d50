"""Checks that the printed policy allows all real calls, and that ``check --live`` prints what is missing."""

import json
from datetime import timedelta

import pytest

from router.connect.iam import InstanceArn
from router.inspect.iam_policy import policy_of, reading_operations
from router.inspect.live_check import LiveFindings, check_live
from router.model import Directory
from router.rules.load import load_rules
from router.rules.rule import Mode
from router.settings.quotas import DOCUMENTED_QUOTAS
from tests.builders.iam import allowed, arn
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)
EVERYTHING = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"

[[rule]]
name = "by-hours"
[rule.match]
queue = "Billing"
transfers = 0
attributes.tier = "gold"
[rule.sla]
target = "1h"
clock = "chain"
hours = "queue"
[[rule.step]]
at = "30m"
routing = { priority = 2 }
[[rule.step]]
at = "breach"
to = [
  { agent_from = "attributes.last_agent" },
  { agent = "supervisor.one" },
  { queue = "Billing Overflow", slots_available = { min = 9 } },
  { queue = "Supervisors", open = true },
]

[[rule]]
name = "plain"
[rule.match]
queue = ["Billing", "General"]
[rule.sla]
target = "1h"
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""


def document(app, *, observe=False, directory=None):
    made = policy_of(
        app.names.ruleset,
        arn=InstanceArn.read(arn("instance", instance=app.settings.connect.instance_id)),
        directory=directory or app.names.directory,
        observe=observe,
        keep_place=app.settings.execute.keep_place,
    )
    return {
        "Statement": [{"Effect": "Allow", "Action": one.actions, "Resource": one.resources} for one in made.statements]
    }


def passes(centre, mode):
    gold = {"tier": "gold", "last_agent": "supervisor.one"}
    for channel in ("TASK", "EMAIL"):
        centre.world.enqueue(channel, "Billing", waited=2 * HOUR, attributes=gold)
        centre.world.enqueue(channel, "Billing", waited=2 * HOUR, attributes={"tier": "gold"})
        centre.world.enqueue(channel, "Billing", waited=HOUR / 2, attributes={"tier": "gold"})
        centre.world.enqueue(channel, "General", waited=3 * HOUR)
    app = centre.router(EVERYTHING, mode=mode, **{"guard.cooldown": "1s"})
    for _ in range(3):
        app.cycle.run(until=None)
        if mode is Mode.ENFORCE:
            centre.land(app)
        centre.clock.travel(timedelta(minutes=10))
        app.names.refresh()
    return app


def test_every_call_of_an_enforcing_router_is_allowed_by_its_policy_and_every_action_of_it_is_used(centre):
    app = passes(centre, Mode.ENFORCE)
    policy, made = document(app), {call.operation for call in centre.sandbox.calls}
    assert "TransferContact" in made
    assert [call for call in centre.sandbox.calls if not allowed(policy, call.operation, call.params)] == []
    granted = {action.removeprefix("connect:") for one in policy["Statement"] for action in one["Action"]}
    # IAM requires the first with SearchQueues. The second is called at the start, the third for what was transferred
    # before, or is not settled.
    # The fourth is called by `check --live` only.
    # The last two are for contacts of two channels, sent to one queue at the same time.
    channels = {"DescribeRoutingProfile", "SearchRoutingProfiles"}
    rare = {"DescribeQueue", "DescribeInstance", "ListAssociatedContacts", "DescribeContactFlow"}
    assert granted - made == rare | channels


def test_every_call_of_an_observing_router_is_allowed_by_the_reading_part(centre):
    app = passes(centre, Mode.OBSERVE)
    policy = document(app, observe=True)
    assert len({call.operation for call in centre.sandbox.calls}) > 10
    assert [call for call in centre.sandbox.calls if not allowed(policy, call.operation, call.params)] == []


def test_a_flow_that_no_rule_names_is_not_allowed(centre):
    app = passes(centre, Mode.ENFORCE)
    centre.world.add_flow("Another", type="QUEUE_TRANSFER")
    assert app.names.refresh() is None
    another = app.names.directory.flow("Another")
    call = next(call for call in centre.sandbox.calls if call.operation == "TransferContact")
    assert allowed(document(app), "TransferContact", call.params)
    assert not allowed(document(app), "TransferContact", {**call.params, "ContactFlowId": another.id})


def test_a_flow_that_the_instance_lacks_widens_the_policy(centre):
    app = centre.router()
    call = {"InstanceId": centre.sandbox.instance_id, "ContactFlowId": "another", "ContactId": "c"}
    assert not allowed(document(app), "TransferContact", call)
    assert allowed(document(app, directory=Directory()), "TransferContact", call)


@pytest.mark.parametrize(
    "missing",
    [
        {"SearchContacts"},
        {"DescribeContact", "GetCurrentMetricData"},
        {"ListUsers", "ListQueues"},
        {"GetEffectiveHoursOfOperations", "DescribeHoursOfOperation", "SearchQueues", "ListHoursOfOperations"},
        {"GetCurrentUserData", "ListAgentStatuses", "ListAssociatedContacts", "ListRoutingProfileQueues"},
        {"ListContactFlows", "SearchRoutingProfiles"},
        {"DescribeContactFlow"},
    ],
    ids=lambda missing: "+".join(sorted(missing)),
)
def test_check_live_tells_every_reading_permission_that_is_missing(centre, missing):
    app = centre.router(EVERYTHING)
    for operation in missing:
        centre.world.faults.add("access_denied", operation)
    found = check_live(app.connection, app.names.ruleset, now=centre.clock.now())
    assert isinstance(found, LiveFindings)
    assert set(found.denied) == missing


def test_check_live_tries_every_reading_operation_that_the_rules_need_and_no_other(centre):
    app = centre.router(EVERYTHING)
    before = len(centre.sandbox.calls)
    found = check_live(app.connection, app.names.ruleset, now=centre.clock.now())
    assert isinstance(found, LiveFindings)
    assert found.denied == {}
    tried = {call.operation for call in centre.sandbox.calls[before:]}
    implied = {"DescribeQueue", "DescribeRoutingProfile"}
    assert tried == reading_operations(load_rules(app.settings.rules.path)) - implied | {"DescribeContactFlow"}
    policy = document(app, observe=True)
    assert [call for call in centre.sandbox.calls if not allowed(policy, call.operation, call.params)] == []


def test_rules_without_hours_do_not_read_hours(centre):
    app = centre.router()
    found = check_live(app.connection, app.names.ruleset, now=centre.clock.now())
    assert isinstance(found, LiveFindings)
    assert (found.denied, found.problems, found.queues) == ({}, (), 4)
    assert centre.sandbox.count("ListHoursOfOperations") == 0


def test_check_live_finds_a_disabled_destination_for_rules_without_hours(centre):
    app = centre.router()
    centre.world.set_queue("Billing Overflow", enabled=False)
    found = check_live(app.connection, app.names.ruleset, now=centre.clock.now())
    assert isinstance(found, LiveFindings)
    assert ['queue "Billing Overflow" is disabled' in str(one) for one in found.problems] == [True]


def test_check_live_names_a_denied_search_of_queues_and_checks_the_names_all_the_same(centre):
    app = centre.router()
    centre.world.faults.add("access_denied", "SearchQueues")
    found = check_live(app.connection, app.names.ruleset, now=centre.clock.now())
    assert isinstance(found, LiveFindings)
    assert (set(found.denied), found.problems, found.queues) == ({"SearchQueues"}, (), 4)


PLAIN = """
[defaults]
flow = "Overflow to queue"
[[rule]]
name = "late"
match = { queue = "Billing" }
sla = { target = "1h" }
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""
RULES = {
    "moves": PLAIN,
    "warns": '[[rule]]\nname = "late"\nmatch = { queue = "Billing" }\nstep = [{ at = "1h", warn = "late" }]\n',
    "raises": '[[rule]]\nname = "r"\nmatch.queue = "Billing"\nstep = [{ at = "1h", routing = { priority = 1 } }]\n',
    "observes": PLAIN.replace("[defaults]", '[defaults]\nmode = "observe"'),
    "everything": EVERYTHING,
}


def last_of_the_chain(sandbox, contact_id):
    return sandbox.world.chain(contact_id)[-1].id


def restrict(sandbox, policy):
    """Makes the sandbox deny every operation that the policy does not grant, and returns the earlier calls' number."""
    granted = {action.removeprefix("connect:") for one in policy["Statement"] for action in one["Action"]}
    for operation in DOCUMENTED_QUOTAS:
        if operation not in granted:
            sandbox.world.faults.add("access_denied", operation)
    return len(sandbox.calls)


def not_allowed(sandbox, policy, before):
    return [call for call in sandbox.calls[before:] if not allowed(policy, call.operation, call.params)]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(
    ("command", "rights"),
    [
        (["run", "--once", "--enforce"], ["policy"]),
        (["run", "--once", "--observe"], ["policy", "--observe"]),
        (["plan"], ["policy", "--observe"]),
        (["explain", "CONTACT"], ["policy", "--observe"]),
        (["check", "--live"], ["policy", "--observe"]),
        (["policy", "--live"], ["policy", "--observe"]),
        (["flow", "queue", "--fallback", "Billing"], ["policy", "--observe"]),
        (["acts", "history"], ["policy", "--observe"]),
        (["acts", "history", "CONTACT"], ["policy", "--observe"]),
        (["acts", "history", "MOVED"], ["policy", "--observe"]),
        (["acts", "history", "--undo-plan", "1"], ["policy", "--observe"]),
        (["acts", "explain", "CONTACT"], ["policy", "--observe"]),
    ],
    ids=" ".join,
)
def test_every_command_needs_exactly_the_rights_that_policy_prints(bench, rules, command, rights):
    for file in bench.folder.glob("rules/*.toml"):
        file.unlink()
    (bench.folder / "rules" / "10.toml").write_text(RULES[rules])
    contact = bench.enqueue(waited=2 * HOUR, attributes={"tier": "gold", "last_agent": "supervisor.one"})
    policy = json.loads(bench.run(*rights).stdout)
    if command[0] == "acts":
        command = command[1:]
        assert bench.run("run", "--once", "--enforce").returncode in (0, 1)
    names = {"CONTACT": contact, "MOVED": last_of_the_chain(bench.sandbox, contact)}
    before = restrict(bench.sandbox, policy)

    done = bench.run(*(names.get(word, word) for word in command))

    assert len(bench.sandbox.calls) > before or (command[0] == "history" and rules != "moves")
    assert not_allowed(bench.sandbox, policy, before) == []
    assert "denied" not in done.stdout + done.stderr
    assert "AccessDenied" not in done.stdout + done.stderr


@pytest.mark.uses("threads")
@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.OBSERVE])
@pytest.mark.parametrize("rules", RULES)
def test_the_service_needs_exactly_the_rights_that_policy_prints(centre, events, rules, mode):
    app = centre.router(RULES[rules], mode=mode, **{"poll.every": "1s"})
    centre.disown(app)
    policy = document(app, observe=mode is Mode.OBSERVE)
    before = restrict(centre.sandbox, policy)
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"tier": "gold"})

    with running(app):
        until(lambda: sum(line["event"] == "cycle.finished" for line in events) >= 2, within=40)

    assert not_allowed(centre.sandbox, policy, before) == []
    assert [line for line in events if line["event"] == "api.denied"] == []
    assert centre.sandbox.count("GetCurrentMetricData") > 0
