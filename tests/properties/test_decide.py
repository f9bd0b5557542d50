"""Checks properties of every decision, whatever the rules, the contacts and the behaviour of Connect."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings, target
from hypothesis import strategies as st

from router.decide.decide import decide
from router.decide.decision import Hold, Transfer
from router.decide.snapshot import CHAIN_TRANSFERS
from router.model import HoldReason, Standing
from router.rules.rule import Mode
from tests.builders.effort import scaled
from tests.builders.simulation import Simulation
from tests.builders.worlds import pauses, simulations

HOUR = timedelta(hours=1)
many = settings(max_examples=scaled(150))
"""Worlds are made quickly, and a limit that is seldom reached is seldom proved."""


def enforced(decided):
    return [one for one in decided.decisions if isinstance(one, Transfer) and one.mode is Mode.ENFORCE]


def run(world: Simulation, waits: list[timedelta]) -> None:
    world.run_cycle()
    for pause in waits:
        world.now += pause
        world.run_cycle()
    target(float(len(world.moves())))


@many
@given(simulations, pauses, st.randoms(use_true_random=False))
def test_the_order_of_contacts_does_not_matter(world, waits, random):
    run(world, waits)
    snapshot = world.snapshot()
    shuffled = list(snapshot.contacts)
    random.shuffle(shuffled)
    assert (
        decide(snapshot, world.rules).decisions
        == decide(replace(snapshot, contacts=tuple(shuffled)), world.rules).decisions
    )


@many
@given(simulations, pauses)
def test_a_second_look_at_an_unchanged_world_moves_nothing_and_repeats_nothing(world, waits):
    world.landing_takes = timedelta()
    run(world, waits)
    guards = [one.rule.guard for one in world.rules.rules]
    world.land()
    again = world.decide()
    done = {(action.wait, action.rule, action.at, action.kind) for action in world.actions}
    for decision in again.decisions:
        if not isinstance(decision, Hold) and decision.mode is Mode.ENFORCE:
            kind = "transfer" if isinstance(decision, Transfer) else "warn"
            assert (decision.wait, decision.rule, decision.at, kind) not in done
    # A share of a queue grows with what was moved there: to such a guard the world has changed.
    if all(guard.cooldown != timedelta() and guard.percent_of_queue is None for guard in guards):
        assert enforced(again) == []


@many
@given(simulations, pauses)
def test_never_two_transfers_for_one_step_of_one_wait(world, waits):
    run(world, waits)
    steps = Counter((move.wait, move.rule, move.at) for move in world.moves())
    assert not [step for step, count in steps.items() if count > 1]


@many
@given(simulations, pauses)
def test_a_contact_is_never_moved_to_the_queue_it_is_in_nor_back_unless_the_entry_says_revisit(world, waits):
    revisitable = {
        (rule.name, entry.target)
        for rule in world.rules.rules
        for step in rule.steps
        for entry in step.entries
        if entry.entry.revisit
    }
    run(world, waits)
    been = defaultdict(set)
    for move in world.moves():
        been[move.wait].add(move.queue_id)
        assert move.target.queue_id != move.queue_id
        assert move.target.queue_id not in been[move.wait] or (move.rule, move.target) in revisitable


@many
@given(simulations, pauses)
def test_no_limit_on_a_chain_is_ever_exceeded(world, waits):
    run(world, waits)
    by_rule = {rule.name: rule.rule.guard for rule in world.rules.rules}
    chains = defaultdict(list)
    for move in world.moves():
        chains[world.root(move.contact_id)].append(move)
    for moves in chains.values():
        for number, move in enumerate(moves):
            own = by_rule[move.rule].max_transfers
            assert number < min(world.limits.max_transfers, own or 99)
            pause = by_rule[move.rule].cooldown
            if number:
                assert move.decided_at - moves[number - 1].decided_at >= (
                    world.limits.cooldown if pause is None else pause
                )
    for contact_id, hops in world.hops.items():
        moved = any(world.root(move.contact_id) == world.root(contact_id) for move in world.moves())
        assert hops <= CHAIN_TRANSFERS - world.limits.reserve_transfers or not moved


@many
@given(simulations, pauses)
def test_no_limit_of_a_cycle_or_an_hour_is_ever_exceeded(world, waits):
    run(world, waits)
    by_rule = {rule.name: rule.rule.guard for rule in world.rules.rules}
    for cycle in {move.cycle for move in world.moves()}:
        counts = Counter(move.rule for move in world.moves() if move.cycle == cycle)
        assert counts.total() <= world.limits.per_cycle
        assert all(count <= (by_rule[rule].per_cycle or 99) for rule, count in counts.items())
    for last in world.moves():
        hour = [move for move in world.moves() if last.decided_at - HOUR < move.decided_at <= last.decided_at]
        counts = Counter(move.rule for move in hour)
        assert counts.total() <= world.limits.per_hour
        assert all(count <= (by_rule[rule].per_hour or 99) for rule, count in counts.items())


@many
@given(simulations, pauses)
def test_no_share_of_a_queue_is_ever_exceeded(world, waits):
    """Compares with the world's own count of the contacts that waited before each cycle or left within the hour."""
    by_rule = {rule.name: rule.rule.guard.percent_of_queue for rule in world.rules.rules}
    for pause in (timedelta(), *waits):
        world.now += pause
        waited = Counter(contact.queue_id for contact in world.waiting.values())
        gone = Counter(move.queue_id for move in world.moves() if move.decided_at > world.now - HOUR)
        for decision in world.run_cycle():
            percent = by_rule[decision.rule]
            if percent is None or not isinstance(decision, Transfer):
                continue
            queue = decision.contact.queue_id
            made = Counter((move.rule, move.queue_id) for move in world.moves() if move.decided_at > world.now - HOUR)
            whole = waited[queue] + gone[queue]
            assert 100 * (made[decision.rule, queue] - 1) < percent * whole


@many
@given(simulations, pauses)
def test_no_more_contacts_chase_the_slots_of_a_queue_than_are_free(world, waits):
    for pause in (timedelta(), *waits):
        world.now += pause
        before = world.snapshot()
        conditional = Counter(
            move.target.queue_id for move in world.run_cycle() if isinstance(move, Transfer) and wants_slot(world, move)
        )
        for queue, count in conditional.items():
            sent = sum(n for (one, _), n in before.moves.sent_to_queues.items() if one == queue)
            assert count <= world.slots[queue] - sent


def wants_slot(world, move):
    """Returns whether every entry that leads there requires a free slot."""
    rule = next(rule for rule in world.rules.rules if rule.name == move.rule)
    step = next(step for step in rule.steps if step.step.number == move.step)
    limits = [entry.entry.limits for entry in step.entries if entry.target == move.target]
    return all(any(limit.metric == "slots_available" for limit in one) for one in limits)


@many
@given(simulations, pauses)
def test_every_contact_whose_governing_rule_has_a_step_due_is_moved_or_held(world, waits):
    """Finds the governing rule of untouched waits independently, by the plainest reading."""
    run(world, waits)
    snapshot = world.snapshot()
    decided = decide(snapshot, world.rules)
    for contact in snapshot.contacts:
        if snapshot.moves.histories[contact.id] or contact.standing(snapshot.now) is not Standing.WAITING:
            continue
        rule = plainly_governing(world, contact)
        if rule is None:
            continue
        waited = snapshot.now - contact.enqueued_at
        outcome = [one for one in decided.accounts[contact.id].decisions if one.rule == rule.name]
        if not rule.rule.steps:
            assert [one.reason for one in outcome if isinstance(one, Hold)] == [HoldReason.EXCLUDED]
        elif any(step.step.at <= waited for step in rule.to_steps):
            assert len([one for one in outcome if isinstance(one, Transfer | Hold)]) == 1
        else:
            assert not [one for one in outcome if isinstance(one, Transfer | Hold)]


def plainly_governing(world, contact):
    queue = next(one for one in world.snapshot().directory.queues if one.id == contact.queue_id)
    for rule in world.rules.rules:
        moves_or_shields = rule.to_steps or not rule.rule.steps
        if rule.rule.mode is Mode.ENFORCE and moves_or_shields and rule.rule.condition.fits((queue.name, queue.id)):
            return rule
    return None


@many
@given(simulations, pauses)
def test_a_moved_contact_that_the_search_still_shows_where_it_was_is_left_alone(world, waits):
    run(world, waits)
    decided = world.decide()
    for _, old in world.stale:
        shown = decided.accounts.get(old.id)
        if shown is not None and shown.contact == old:
            assert shown.decisions == ()
