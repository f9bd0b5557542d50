"""Checks that rules selected by attributes or texts decide, and are checked again before a move, as if each had been
tried."""

from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings, target
from hypothesis import strategies as st

from router.decide.decide import decide
from router.decide.decision import Hold
from router.decide.rules_in_force import QueueRules
from router.execute.recheck import still_waits
from router.model import Details, Pause, PauseKind, Pauses, RoutingData
from router.rules.condition import Unread
from tests.builders.contacts import NOW, act, contact, minutes
from tests.builders.effort import scaled
from tests.builders.instance import BILLING, GENERAL
from tests.builders.rules import rules
from tests.builders.snapshots import snapshot

many = settings(max_examples=scaled(300))
TENANTS = ("a", "b", "1", "")
CONDITIONS = (
    'attributes.tenant = "{tenant}"',
    'attributes.tenant = "{tenant}"',
    'attributes.tenant = ["{tenant}", "b"]',
    'attributes.tenant = "{tenant}", attributes.tier = "vip"',
    'attributes.tenant = "{tenant}", attributes.tier = {{ not = "vip" }}',
    'attributes.tenant = "{tenant}", priority = {{ max = 3 }}',
    'attributes.tenant = "{tenant}", hours = {{ name = "Nowhere", is = "open" }}',
    'attributes.tenant = "{tenant}", name = "c0"',
    'attributes.tenant = "{tenant}", age = {{ min = "30m" }}',
    'attributes.tenant = "{tenant}", transfers = 0, task_template = "Refunds"',
    'any = [{{ attributes.tenant = "{tenant}" }}, {{ attributes.tenant = "b", name = "c0" }}]',
    'any = [{{ attributes.tenant = "{tenant}" }}, {{ attributes.tier = "vip" }}]',
    'none = [{{ attributes.tenant = "{tenant}" }}]',
    "attributes.tenant = {{ min = 1 }}",
    'attributes.tenant = {{ matches = "[ab]" }}',
    'attributes.tier = "vip"',
    "priority = 5",
    'name = "c1"',
    'tags.team = "{tenant}"',
    'tags.team = ["{tenant}", "b"], channel = "TASK"',
    'tags.team = "{tenant}", name = "c0"',
    'tags.team = "{tenant}", attributes.tier = "vip"',
    'any = [{{ tags.team = "{tenant}" }}, {{ name = "c1" }}]',
    'tags.team = {{ not = "{tenant}" }}',
    "",
)
ACTS = (
    "",
    'step = [{ at = "10m", to = [{ queue = "Overflow" }] }]',
    'step = [{ at = "10m", to = [{ queue = "Overflow" }] }, { at = "2h", to = [{ queue = "General" }] }]',
    'step = [{ at = "1h", to = [{ queue = "General" }] }]',
    'step = [{ at = "10m", warn = "late" }]',
    'step = [{ at = "5m", routing = { priority = 1 } }, { at = "10m", to = [{ queue = "Overflow" }] }]',
    'on_hold = "next"\nstep = [{ at = "10m", to = [{ queue = "Overflow", slots_available = { min = 1 } }] }]',
    'guard.enqueued_after = 2026-03-02T11:45:00Z\nstep = [{ at = "10m", to = [{ queue = "Overflow" }] }]',
    'sla.clock = "chain"\nstep = [{ at = "10m", to = [{ queue = "Overflow" }] }]',
)
one_rule = st.tuples(
    st.sampled_from(CONDITIONS),
    st.sampled_from(TENANTS),
    st.sampled_from((*ACTS[:2], *ACTS[:5], *ACTS)),
    st.sampled_from(("enforce", "enforce", "enforce", "observe")),
)
described = st.builds(
    Details,
    attributes=st.fixed_dictionaries(
        {}, optional={"tenant": st.sampled_from((*TENANTS, "c")), "tier": st.sampled_from(("vip", "gold"))}
    ),
    priority=st.sampled_from((None, 1, 5)),
    task_template=st.sampled_from((None, "Refunds", "Returns")),
)

PAUSE = Pause(kind=PauseKind.RULE, subject="r1", name="r1", until=NOW + minutes(9), comment="", who="ann", set_at=NOW)
UPDATED = {"kind": "routing", "routing": RoutingData(priority=1), "before": RoutingData(priority=5)}


@st.composite
def worlds(draw):
    """Draws rules and a snapshot of contacts, of most of which the details have been read."""
    text = ""
    for number, (condition, tenant, acts, mode) in enumerate(draw(st.lists(one_rule, min_size=2, max_size=9))):
        match = ", ".join(filter(None, ('queue = "Billing"', condition.format(tenant=tenant))))
        text += f'[[rule]]\nname = "r{number}"\nmode = "{mode}"\nmatch = {{ {match} }}\n{acts}\n'
    contacts, details, histories, read_times = [], {}, {}, {}
    for number, waited in enumerate(draw(st.lists(st.sampled_from((150, 45, 20, 5)), min_size=1, max_size=4))):
        queue = draw(st.sampled_from((BILLING, BILLING, BILLING, GENERAL)))
        previous = draw(st.sampled_from(({}, {}, {"previous_id": "c-before", "initial_id": "c-before"})))
        tags = draw(st.sampled_from(({}, *({"team": team} for team in (*TENANTS, "c")))))
        one = contact(f"c{number}", queue=queue, waited=waited, name=f"c{number}", tags=tags, **previous)
        contacts.append(one)
        known = draw(st.one_of(described, described, described, st.just(Unread("no answer")), st.none()))
        if known is not None:
            details[one.id] = known
        if draw(st.booleans()):
            read_times[one.id] = draw(st.sampled_from((0, 1)))
        if draw(st.integers(0, 4)) == 4:
            acted = draw(st.sampled_from(({"kind": "warn"}, UPDATED)))
            histories[one.id] = (act(one, "r0", at=5, **acted),)
    paused = draw(st.sampled_from((Pauses(), Pauses(), Pauses((PAUSE,)))))
    return rules(text), snapshot(*contacts, details=details, histories=histories, transfers=read_times, paused=paused)


def tried(decided):
    """Returns how each contact came out, without the conditions to check again and the rules that do not act."""
    found = {}
    for contact_id, account in decided.accounts.items():
        governance = account.governance and replace(account.governance, relied_on=())
        bare = tuple(one if isinstance(one, Hold) else replace(one, relied_on=()) for one in account.decisions)
        found[contact_id] = replace(account, governance=governance, decisions=bare)
    return found


@many
@given(worlds(), st.lists(described, min_size=3, max_size=8))
def test_rules_selected_by_attributes_decide_and_are_checked_again_as_if_each_had_been_tried(world, later):
    bound, seen = world
    ours = decide(seen, bound)
    with patch.object(QueueRules, "meeting", lambda self, _details, _wait, _values: self):
        every = decide(seen, bound)
    assert tried(ours) == tried(every)
    assert (ours.needs, ours.next_due_at) == (every.needs, every.next_due_at)
    refused = 0
    for one, other in zip(ours.decisions, every.decisions, strict=True):
        if isinstance(one, Hold) or isinstance(other, Hold):
            continue
        known = seen.read.details.get(one.contact.id)
        for details in (*later, known):
            if isinstance(details, Details):
                again = replace(one.contact, details=details)
                assert still_waits(again, one, NOW) is still_waits(again, other, NOW), details
                refused += still_waits(again, one, NOW) is not None
    target(float(refused))


@many
@given(worlds())
def test_rules_selected_by_a_text_of_the_search_decide_as_if_each_had_been_tried(world):
    bound, seen = world
    with patch.object(QueueRules, "fitting", lambda self, _values: self):
        every = decide(seen, bound)
    ours = decide(seen, bound)
    assert tried(ours) == tried(every)
    assert (ours.needs, ours.next_due_at) == (every.needs, every.next_due_at)
