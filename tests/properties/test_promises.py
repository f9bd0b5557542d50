"""Holds proofs of promises against the code that decides, with random rules, contacts and hours."""

import re
from datetime import timedelta
from random import Random

import re2
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from router.prove.implication import Prover
from router.prove.lint import lint
from router.prove.overlap import common_contact
from router.prove.promises.answer import possible
from router.prove.promises.governance import Stand
from router.prove.promises.logic import negation
from router.prove.promises.prove import compare
from router.prove.promises.prover import PromiseProver
from router.prove.promises.text_values import classes_of, shown_to
from router.prove.promises.verdict import Unsure
from router.rules.rule import Mode
from router.rules.value_test import RangeForm, TextForm
from tests.builders.promises import (
    FORMS,
    LIMITS,
    NOW,
    another,
    decide_the_same,
    lives,
    parsed,
    proved,
    rule_file,
    verdicts,
)

SEEDS = st.integers(0, 2**32)


@settings(max_examples=12)
@given(SEEDS)
def test_no_random_contact_breaks_a_promise_that_is_proved(seed):
    ruleset = parsed(rule_file(Random(seed)))
    for promise in proved(verdicts(ruleset)):
        assert not any(lives(ruleset, promise, Random(seed), 8))


PATTERNS = ["x*", "*y", "?", "x?z*", "*xy*", "7*", "-*"]
EXPRESSIONS = ["x+y?", "[^x]*", "(?i)Xy|z", "x{2,3}.", "(x|y)*z$", "^7\\d*", "\\w+", "[a-z]\\s.*", "(?s).\n.", "a|^b$|"]
forms = st.one_of(
    st.lists(st.sampled_from([*PATTERNS, "x", "xy", "7", ""]), min_size=1, max_size=3).map(TextForm.of),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2).map(lambda texts: TextForm.of(texts, negated=True)),
    st.sampled_from(EXPRESSIONS).map(lambda text: TextForm(pattern=text)),
    st.booleans().map(lambda present: TextForm(present=present)),
    st.tuples(st.sampled_from([None, -7, 0, 0.5, 7, 70]), st.sampled_from([7, 70.25, 1000])).map(
        lambda ends: RangeForm.of(*ends)
    ),
)
values = st.one_of(
    st.none(),
    st.text(alphabet="xyzXZab7-+.0 \n\u017f\u00e9", max_size=6),
    st.from_regex(r"[+-]?0?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True),
)


@settings(max_examples=150)
@given(st.frozensets(forms, min_size=1, max_size=5), st.lists(values, min_size=1, max_size=30))
def test_every_value_fits_the_forms_of_some_class_exactly(given_forms, some):
    known = {one.fits for one in classes_of("tags.t", given_forms)}
    for value in some:
        assert frozenset(form for form in given_forms if form(value)) in known


@given(st.frozensets(forms, min_size=1, max_size=5))
def test_the_value_of_a_class_fits_its_forms(given_forms):
    for one in classes_of("tags.t", given_forms):
        assert one.fits == frozenset(form for form in given_forms if form(shown_to("tags.t", one.value)))


@settings(max_examples=25)
@given(SEEDS)
def test_what_check_proves_without_the_solver_the_solver_proves_too(seed):
    """Compares the findings of ``check`` about pairs of conditions with the solver's, on every queue."""
    ruleset = parsed(rule_file(Random(seed)))
    rules = [rule for rule in ruleset.rules if rule.mode is Mode.ENFORCE]
    plain, solver = Prover(), PromiseProver(ruleset, LIMITS, NOW)
    for one in rules:
        for other in rules:
            both = [_fit(solver, queue, one, other, other_holds=True) for queue in solver.queues]
            if plain.excludes(one.condition, other.condition):
                assert not any(both)
            if plain.implies(one.condition, other.condition):
                assert not any(_fit(solver, queue, one, other, other_holds=False) for queue in solver.queues)
            if common_contact(one.condition, other.condition, solver.queues) is not None:
                assert any(both)


def _fit(solver, queue, one, other, *, other_holds):
    scene = solver.scene(queue, [one, other])
    now = z3.FreshInt("now")
    scene.solver.add(now >= 0)
    instant = scene.moment(now)
    view = scene.first_view(instant)
    first, second = (scene.holds(rule.condition, view, instant) for rule in (one, other))
    return possible(scene, first, second if other_holds else negation(second))


@settings(max_examples=40)
@given(SEEDS)
def test_a_rule_that_can_never_govern_by_check_governs_no_contact_of_the_solver(seed):
    ruleset = parsed(rule_file(Random(seed)))
    found = lint(ruleset, poll_every=timedelta(seconds=30), max_transfers=LIMITS.max_transfers)
    places = {(one.line, one.column) for one in found if " can never govern: " in one.message}
    prover = PromiseProver(ruleset, LIMITS, NOW)
    formulas = prover.formulas(frozenset())
    for rule in prover.book.rules:
        if (rule.place.line, rule.place.column) in places:
            assert not any(_governs(prover, formulas, queue, rule) for queue in prover.queues)


def _governs(prover, formulas, queue, rule):
    scene = prover.scene(queue, prover.book.rules)
    now = z3.FreshInt("now")
    scene.solver.add(now >= 0)
    stand = Stand(scene=scene, instant=scene.moment(now), queue=queue)
    earlier = prover.book.rules[: prover.book.rules.index(rule)]
    view = scene.first_view(stand.instant)
    free = [negation(scene.matches(one, view, 0, stand.instant)) for one in earlier if one.excludes]
    free += [formulas.lets_pass(one, stand) for one in earlier]
    return possible(scene, scene.matches(rule, view, 0, stand.instant), *free)


CERTAIN = """
[[rule]]
name = "ping"
match = {{ queue = "A", tags.t = {one} }}
step = [{{ at = "5m", to = [{{ queue = "B", flow = "F", revisit = true }}] }}]
[[rule]]
name = "pong"
match = {{ queue = "B", tags.t = {other} }}
step = [{{ at = "5m", to = [{{ queue = "A", flow = "F", revisit = true }}] }}]
[[promise]]
name = "p"
at_most.visits_of_a_queue = 1
"""


@settings(max_examples=30)
@given(st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_a_circle_that_is_certain_for_check_breaks_a_promise(one, other):
    ruleset = parsed(CERTAIN.format(one=one, other=other))
    found = lint(ruleset, poll_every=timedelta(seconds=30), max_transfers=LIMITS.max_transfers)
    if any(problem.severity == "error" for problem in found):
        assert [verdict.outcome.value for verdict in verdicts(ruleset)] == ["BROKEN"]


def test_the_expressions_of_these_tests_are_expressions_of_re2():
    assert all(re2.compile(text) and re.compile(text) for text in EXPRESSIONS)


@settings(max_examples=12)
@given(SEEDS)
def test_rule_sets_that_are_proved_the_same_decide_the_same(seed):
    random = Random(seed)
    text = rule_file(random).partition("[[promise]]")[0]
    changed = another(text, random)
    sets = {"A": parsed(text), "B": parsed(changed)}
    try:
        same = not list(compare(sets, limits=LIMITS, now=NOW))
    except Unsure:
        same = False
    if same:
        assert decide_the_same(sets["A"], sets["B"], random, 25)
