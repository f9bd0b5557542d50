"""Checks that no decision changes because values of DescribeContact are read late, in part, or not at all."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from router.decide.decide import decide
from router.decide.decision import Hold, Transfer
from router.model import Channel, ContactId, Details, HoldReason, NeedKind, ProfileId
from router.rules.condition import Unread
from router.rules.rule import Mode
from tests.builders.contacts import contact
from tests.builders.instance import ANN, BILLING, free
from tests.builders.rules import rules
from tests.builders.snapshots import changed, in_words, live, snapshot

many = settings(max_examples=5 * settings().max_examples)
"""Worlds are made quickly, and what matters needs several things to come together."""
EXCLUDED = HoldReason.EXCLUDED
SALES = ProfileId("sales")
CONDITIONS = (
    "",
    ', attributes.tier = "vip"',
    ', attributes.tier = { not = "vip" }',
    ", attributes.tier = { present = false }",
    ", priority = { max = 3 }",
    ', task_template = "Refunds"',
    ', any = [{ attributes.tier = "vip" }, { name = "c1" }]',
    ", none = [{ priority = 5 }, { waited = { min = '1h' } }]",
    ', name = "c2", priority = 5',
)
NAMED = 'step = [{{ at = "{at}", to = [{{ agent_from = "attributes.last" }}, {{ queue = "General" }}] }}]'
ACTS = (
    "",
    'step = [{{ at = "{at}", to = [{{ queue = "Overflow" }}] }}]',
    'step = [{{ at = "{at}", warn = "late" }}]',
)
one_rule = st.tuples(
    st.sampled_from(CONDITIONS),
    st.sampled_from((*ACTS, NAMED, NAMED)),
    st.sampled_from(("5m", "30m", "2h")),
    st.sampled_from(("enforce", "enforce", "observe")),
)
described = st.builds(
    Details,
    attributes=st.fixed_dictionaries(
        {}, optional={"tier": st.sampled_from(("vip", "gold")), "last": st.sampled_from(("ann", "ann", "nobody"))}
    ),
    priority=st.sampled_from((None, 1, 5)),
    task_template=st.sampled_from((None, "Refunds", "Returns")),
)
waits = st.lists(st.sampled_from((200, 90, 45, 10, 1)), min_size=1, max_size=4)


@st.composite
def worlds(draw):
    """Draws rules and contacts, and the details that DescribeContact would return of each."""
    text = "".join(
        f"""
        [[rule]]
        name = "r{number}"
        mode = "{mode}"
        match = {{ queue = "Billing"{condition} }}
        {act.format(at=at)}
        """
        for number, (condition, act, at, mode) in enumerate(draw(st.lists(one_rule, min_size=1, max_size=4)))
    )
    contacts = [contact(f"c{n}", waited=wait, name=f"c{n}") for n, wait in enumerate(draw(waits))]
    details = {one.id: draw(described) for one in contacts}
    known = live(agents={ANN: replace(free(9), profile_id=SALES)})
    known = replace(known, profiles={SALES: frozenset({(BILLING, Channel.TASK)})})
    return rules(text), snapshot(*contacts, metrics=known), details


def accounts(seen, bound):
    """Returns the decisions without exclusion holds, which do not matter while nothing can be due."""
    return {
        key: [in_words(one) for one in account.decisions if not (isinstance(one, Hold) and one.reason is EXCLUDED)]
        for key, account in decide(seen, bound).accounts.items()
    }


@many
@given(worlds())
def test_reading_only_what_is_asked_for_comes_to_the_same_as_reading_all(world):
    bound, seen, details = world
    eager = changed(seen, details=details)
    lazy, rounds = seen, 0
    while asked := decide(lazy, bound).needs:
        new = {ContactId(need.id): details[ContactId(need.id)] for need in asked if need.kind is NeedKind.DETAILS}
        assert len(new) == len(asked), "all else is known"
        assert not new.keys() & lazy.read.details.keys(), "nothing is asked for twice"
        lazy, rounds = changed(lazy, details={**lazy.read.details, **new}), rounds + 1
    assert rounds <= 2
    assert accounts(lazy, bound) == accounts(eager, bound)


@many
@given(worlds(), st.data())
def test_what_was_not_read_holds_and_is_never_taken_for_a_no(world, data):
    bound, seen, details = world
    read = data.draw(st.sets(st.sampled_from(sorted(details))))
    unread = {one: Unread("no answer") for one in details}
    partly = decide(changed(seen, details={**unread, **{one: details[one] for one in read}}), bound)
    whole = decide(changed(seen, details=details), bound)
    assert partly.needs == ()
    for contact_id, account in whole.accounts.items():
        now = partly.accounts[contact_id].decisions
        then = [in_words(one) for one in account.decisions]
        more = [one for one in now if not isinstance(one, Hold) and in_words(one) not in then]
        # Rules that observe act side by side, and only the first of them shows its move of the contact. If that rule is
        # not decided, the next one shows its move in place of its hold.
        in_place_of = [f"{one.rule} {one.step}: in_flight (observed)" for one in more]
        assert all(isinstance(one, Transfer) and one.mode is Mode.OBSERVE for one in more)
        assert set(in_place_of) <= set(then)
        if contact_id in read:
            assert [in_words(one) for one in now] == then
        elif any(isinstance(one, Transfer) and in_words(one) not in map(in_words, now) for one in account.decisions):
            assert HoldReason.UNREADABLE in [one.reason for one in now if isinstance(one, Hold)]
