"""Names to ids of an instance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from router.model import Agent, AgentId, Directory, Flow, FlowId, FlowType, Home, Hours, HoursId, Queue, QueueId
from router.rules.bind import bind, foreign_arns, unresolved_promises
from router.rules.bound import BoundRuleSet
from router.rules.condition import Truth, match
from router.rules.load import parse_rules
from router.rules.value_test import Value

QUEUES = ("Billing", "Billing EU 1", "Billing EU 2", "Overflow", "Claims", "Supervisors")
UUID = "00000000-0000-4000-8000-00000000000{}"


def queue_id(name: str) -> QueueId:
    return QueueId(UUID.format(QUEUES.index(name)))


INSTANCE = Directory(
    queues=(
        *(Queue(id=queue_id(name), name=name) for name in QUEUES),
        Queue(id=QueueId("closed"), name="Closed", enabled=False),
        Queue(id=QueueId("agent-queue"), name="anna", agent_id=AgentId("agent-1")),
        Queue(id=QueueId("twin-1"), name="Twin"),
        Queue(id=QueueId("twin-2"), name="Twin"),
    ),
    agents=(Agent(id=AgentId("agent-1"), name="anna"), Agent(id=AgentId("agent-2"), name="ben")),
    flows=(
        Flow(id=FlowId("flow-q"), name="To queue", type=FlowType.QUEUE_TRANSFER),
        Flow(id=FlowId("flow-a"), name="To agent", type=FlowType.AGENT_TRANSFER),
        Flow(id=FlowId("flow-i"), name="Inbound", type=FlowType.INBOUND),
        Flow(id=FlowId("flow-o"), name="Whisper", type=FlowType.OTHER),
        Flow(id=FlowId("flow-s"), name="Draft", type=FlowType.QUEUE_TRANSFER, published=False),
        Flow(id=FlowId("flow-x"), name="Old", type=FlowType.QUEUE_TRANSFER, active=False),
    ),
    hours=(Hours(id=HoursId("hours-1"), name="Office"),),
)


def bound(text: str, *, agents_known: bool = True, directory: Directory = INSTANCE) -> BoundRuleSet:
    return bind(parse_rules([("r.toml", text.encode())]), directory, agents_known=agents_known)


def moving(to: str, queue: str = '"Billing"') -> str:
    return f'[[rule]]\nname = "r"\nmatch.queue = {queue}\n[[rule.step]]\nat = "10m"\nto = [{to}]\n'


def reported(text: str, *, agents_known: bool = True) -> list[str]:
    return [str(line) for line in bound(text, agents_known=agents_known).rules[0].unresolved]


def test_names_ids_and_arns_come_to_the_same_ids():
    arn = "arn:aws:connect:us-east-1:1:instance/i"
    named = bound(moving('{ queue = "Overflow", flow = "To queue" }'))
    by_id = bound(moving(f'{{ queue = "{queue_id("Overflow")}", flow = "flow-q" }}'))
    by_arn = bound(moving(f'{{ queue = "{arn}/queue/{queue_id("Overflow")}", flow = "{arn}/contact-flow/flow-q" }}'))
    targets = [one.rules[0].steps[0].entries[0].target for one in (named, by_id, by_arn)]
    assert targets[0] is not None
    assert (targets[0].queue_id, targets[0].flow_id) == (queue_id("Overflow"), "flow-q")
    assert targets[0] == targets[1] == targets[2]
    assert named.rules[0].unresolved == ()


HOME = "arn:aws:connect:us-east-1:1:instance/i"
ELSEWHERE = "arn:aws:connect:eu-west-1:2:instance/j"
IN_HOURS = """
[[rule]]
name = "r"
match.queue = "Billing"
sla = { target = "1h", hours = "{arn}/operating-hours/hours-1" }
[[rule.step]]
at = "10m"
warn = "late"
"""
OF_ANOTHER = "belongs to instance j in eu-west-1, account 2; this router works for instance i in us-east-1"


@pytest.mark.parametrize("arn", [ELSEWHERE, HOME], ids=["another instance", "another kind"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (moving('{ queue = "Overflow", flow = "To queue" }', f'"{{arn}}/queue/{queue_id("Billing")}"'), "queue"),
        (moving(f'{{ queue = "{{arn}}/queue/{queue_id("Overflow")}", flow = "To queue" }}'), "queue"),
        (moving('{ queue = "Overflow", flow = "{arn}/contact-flow/flow-q" }'), "flow"),
        (moving('{ agent = "{arn}/agent/agent-2", flow = "To agent" }'), "agent"),
        (IN_HOURS, "hours of operation"),
    ],
    ids=["source", "destination", "flow", "agent", "hours"],
)
def test_an_arn_of_another_instance_or_kind_comes_to_nothing_although_its_id_exists(arn, text, kind):
    home = replace(INSTANCE, home=Home("i", "us-east-1"))
    if arn == HOME:
        for segment in ("/queue/", "/contact-flow/", "/agent/", "/operating-hours/"):
            text = text.replace(segment, "/task-template/")

    (rule,) = bound(text.replace("{arn}", arn), directory=home).rules

    assert len(rule.unresolved) == 1
    assert (OF_ANOTHER if arn == ELSEWHERE else f"not of a {kind}") in str(rule.unresolved[0])


def test_agents_and_their_flow():
    target = bound(moving('{ agent = "ben", flow = "To agent" }')).rules[0].steps[0].entries[0].target
    assert target is not None
    assert (target.agent_id, target.flow_id, target.queue_id) == ("agent-2", "flow-a", None)


@pytest.mark.parametrize(
    ("to", "line"),
    [
        (
            '{ queue = "Biling", flow = "To queue" }',
            "queue \"Biling\" does not exist in the instance (did you mean 'Billing'?)",
        ),
        ('{ queue = "Closed", flow = "To queue" }', 'queue "Closed" is disabled'),
        (
            '{ queue = "Twin", flow = "To queue" }',
            'queue "Twin" is the name of 2 of them in the instance: use the id',
        ),
        (
            '{ queue = "agent-queue", flow = "To queue" }',
            'queue "agent-queue" is an agent\'s own queue: rules name the agent',
        ),
        (
            '{ agent = "bne", flow = "To agent" }',
            "agent \"bne\" does not exist in the instance (did you mean 'ben'?)",
        ),
        (
            '{ queue = "Overflow", flow = "To quue" }',
            "flow \"To quue\" does not exist in the instance (did you mean 'To queue'?)",
        ),
        ('{ queue = "Overflow", flow = "Draft" }', 'flow "Draft" is not published'),
        ('{ queue = "Overflow", flow = "Old" }', 'flow "Old" is archived'),
        ('{ queue = "Overflow", flow = "Whisper" }', 'flow "Whisper" is of a type that transfers no contact'),
        (
            '{ queue = "Overflow", flow = "To agent" }',
            'flow "To agent" is of type AGENT_TRANSFER, which a queue destination does not allow',
        ),
        (
            '{ agent = "ben", flow = "To queue" }',
            'flow "To queue" is of type QUEUE_TRANSFER, which an agent destination does not allow',
        ),
    ],
)
def test_what_the_instance_does_not_offer_is_reported(to, line):
    assert reported(moving(to)) == [f"r.toml:6:7: {line}"]
    assert bound(moving(to)).rules[0].steps[0].entries[0].target is None


@pytest.mark.parametrize("to", ['{ queue = "Overflow", flow = "Inbound" }', '{ agent = "ben", flow = "Inbound" }'])
def test_an_inbound_flow_serves_queues_and_agents(to):
    assert reported(moving(to)) == []


def test_a_queue_of_match_that_does_not_exist_is_reported_where_it_stands():
    assert reported(moving('{ queue = "Overflow", flow = "To queue" }', '["Billing", "Clams"]')) == [
        "r.toml:3:15: queue \"Clams\" does not exist in the instance (did you mean 'Claims'?)"
    ]


def test_agents_that_could_not_be_listed_are_reported_as_that():
    assert reported(moving('{ agent = "ben", flow = "To agent" }'), agents_known=False) == [
        'r.toml:6:7: agent "ben" is not known: the instance\'s users could not be listed'
    ]


def test_a_rule_that_is_off_is_not_complained_about():
    text = moving('{ queue = "Biling", flow = "To queue" }').replace("match", 'mode = "off"\nmatch')
    assert reported(text) == []


def test_one_mistake_in_a_list_used_twice_is_reported_once():
    text = (
        '[lists]\nl = [{ queue = "Nowhere", flow = "To queue" }]\n[[rule]]\nname = "r"\nmatch.queue = "Billing"\n'
        '[[rule.step]]\nat = "5m"\nto = "l"\n[[rule.step]]\nat = "10m"\nto = "l"\n'
    )
    assert reported(text) == ['r.toml:2:6: queue "Nowhere" does not exist in the instance']


PROMISED = """
[[promise]]
name = "p"
match.queue = {queue}
never = {{ to = {to} }}
"""


def promised(queue: str, to: str, directory: Directory = INSTANCE) -> list[str]:
    ruleset = parse_rules([("r.toml", PROMISED.format(queue=queue, to=to).encode())])
    return [str(one) for one in unresolved_promises(ruleset, directory)]


def test_the_queues_of_a_promise_are_those_of_the_instance():
    assert promised('{ not = "Billing" }', '["Over*", "Claims"]') == []
    assert promised('["Biling"]', f'["Overflow", "{queue_id("Claims")}", "Twin"]') == [
        'r.toml:4:15: promise "p": queue "Biling" does not exist in the instance (did you mean \'Billing\'?)',
        'r.toml:2:1: promise "p": queue "Twin" is the name of 2 of them in the instance: use the id',
    ]


def test_an_arn_of_another_instance_in_a_promise_is_seen_without_a_look_at_the_instance():
    home = Home("i", "us-east-1")
    ruleset = parse_rules([("r.toml", PROMISED.format(queue=f'"{ELSEWHERE}/queue/q"', to='"Claims"').encode())])
    (found,) = foreign_arns(ruleset, home)
    assert OF_ANOTHER in str(found)


@dataclass
class InQueue:
    names: tuple[str, ...]

    def value(self, key: str) -> Value | None:
        return self.names if key == "queue" else None


def test_a_queue_that_is_renamed_while_running_stays_the_one_that_was_meant():
    condition = bound(moving('{ queue = "Overflow", flow = "To queue" }')).rules[0].rule.condition
    assert match(condition, InQueue(("Renamed", queue_id("Billing")))).truth is Truth.YES
    assert match(condition, InQueue(("Billing", "another-id"))).truth is Truth.NO


@pytest.mark.parametrize(
    ("match_table", "expected"),
    [
        ('queue = "Claims"', ["Claims"]),
        ('queue = ["Claims", "Billing EU *"]', ["Claims", "Billing EU 1", "Billing EU 2"]),
        ('any = [{ queue = "Claims" }, { queue = "Billing", tags.x = "1" }]', ["Claims", "Billing"]),
        ('all = [{ queue = "Billing*" }, { queue = "*2" }]', ["Billing EU 2"]),
        ('queue = "Billing*"\nnone = [{ queue = "*1" }]', ["Billing", "Billing EU 2"]),
        ('queue = "Billing*"\nnone = [{ queue = "*1", tags.x = "1" }]', ["Billing", "Billing EU 1", "Billing EU 2"]),
        ('queue = "*"', None),
        ('channel = "TASK"', None),
        ('queue = { not = "Claims" }', None),
        ('queue = { matches = ".*" }', None),
        ('any = [{ queue = "Claims" }, { tags.x = "1" }]', None),
        ('none = [{ queue = "Claims" }]', None),
        ('none = [{ none = [{ queue = "Claims" }] }]', ["Claims"]),
    ],
)
def test_the_queues_that_need_to_be_looked_at(match_table, expected):
    found = bound(f'[[rule]]\nname = "r"\n[rule.match]\n{match_table}\n').queue_ids
    assert found == (None if expected is None else {queue_id(name) for name in expected})


def test_queues_of_all_rules_and_their_destinations_but_of_none_that_are_off():
    text = moving('{ queue = "Overflow", flow = "To queue" }') + '[[rule]]\nname = "s"\nmatch.queue = "Claims"\n'
    off = '[[rule]]\nname = "t"\nmode = "off"\nmatch.queue = "*"\n'
    expected = frozenset(queue_id(name) for name in ("Billing", "Overflow", "Claims"))
    assert bound(text + off).queue_ids == expected


def test_an_instance_with_other_ids_gives_another_fingerprint():
    text = moving('{ queue = "Overflow", flow = "To queue" }')
    other = Directory(
        queues=tuple(Queue(id=QueueId("x" + queue.id), name=queue.name) for queue in INSTANCE.queues),
        flows=INSTANCE.flows,
    )
    one, same, elsewhere = bound(text), bound("\n" + text), bound(text, directory=other)
    assert one.rules[0].fingerprint == same.rules[0].fingerprint
    assert one.rules[0].fingerprint != elsewhere.rules[0].fingerprint
    assert one.rules[0].fingerprint != bound(text, directory=Directory()).rules[0].fingerprint
