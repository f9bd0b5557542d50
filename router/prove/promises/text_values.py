"""Divides the values of a key into classes that no rule and no promise distinguish, with one value of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from router.prove.implication import is_id
from router.prove.promises.numerals import Numeral
from router.prove.promises.patterns import LAST, Automaton, Span, glob_automaton, regex_automaton, within
from router.prove.promises.verdict import Unsure
from router.rules.match_keys import match_key
from router.rules.value_test import Form, RangeForm, TextForm, Value

MOST_STATES = 30_000
LIKED = "xabcdefghijklmnopqrstuvwyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_.@"
"""The characters that values are made of, if the patterns leave the choice."""
COUNTS = {"priority": range(1, 11), "transfers": range(12)}
COMMON = {"initiation_method": ("API", "INBOUND", "TRANSFER"), "queue": ("Another queue",)}
"""Values to show first where several are of the same class."""


@dataclass(frozen=True, slots=True)
class ValueClass:
    """Holds one value, ``None`` for no value, and the forms that it fits. Every other value fits the forms of some
    class exactly."""

    value: str | int | None
    fits: frozenset[Form]


@lru_cache(maxsize=4_096)
def classes_of(key: str, wanted: frozenset[Form]) -> Sequence[ValueClass]:
    """Returns the classes of the values of a key by these forms. Raises ``Unsure`` if it cannot divide them."""
    if key in COUNTS:
        return _distinct(COUNTS[key], wanted, key)
    if key == "channel":
        return _distinct(("TASK", "EMAIL"), wanted, key)
    _refuse_ids_with_names(key, wanted)
    if key == "queue":  # each contact has one; no name is empty or has control characters
        return _distinct((*COMMON[key], *(one for one in _texts(wanted) if one and one.isprintable())), wanted, key)
    return _distinct((None, *COMMON.get(key, ()), *_texts(wanted)), wanted, key)


def shown_to(key: str, value: str | int | None) -> Value | None:
    """Returns the value as a subject shows it to a test: a thing with an id has several names."""
    return (value,) if match_key(key).by_reference and isinstance(value, str) else value


def _distinct(values: Iterable[str | int | None], forms: Iterable[Form], key: str) -> Sequence[ValueClass]:
    found: dict[frozenset[Form], ValueClass] = {}
    literals: dict[str, set[Form]] = {}
    others: list[Form] = []
    for form in forms:
        if isinstance(form, TextForm) and form.literals and not (form.globs or form.negated or form.folded):
            for text in form.literals:
                literals.setdefault(text, set()).add(form)
        else:
            others.append(form)
    for value in values:
        seen = shown_to(key, value)
        fits = frozenset(literals.get(value, ()) if isinstance(value, str) else ())
        fits |= frozenset(form for form in others if form(seen))
        found.setdefault(fits, ValueClass(value, fits))
    return tuple(found.values())


def _refuse_ids_with_names(key: str, forms: Iterable[Form]) -> None:
    if not match_key(key).by_reference:
        return
    texts = [form for form in forms if isinstance(form, TextForm)]
    ids = {is_id(literal) for form in texts for literal in form.literals}
    patterns = any(form.pattern or any(glob.strip("*") for glob in form.globs) for form in texts)
    if True in ids and (False in ids or patterns):
        raise Unsure(f"{key} is given by name and by id, and only the instance knows which of them are equal")


def _texts(forms: Iterable[Form]) -> Iterable[str]:
    """Returns texts, at least one of every class that texts can be in."""
    literals = {text for form in forms if isinstance(form, TextForm) for text in form.literals}
    machines = [machine for form in forms for machine in _machines(form)]
    if not machines:
        return [*sorted(literals), _another(literals)]
    machines += [glob_automaton(text) for text in literals]
    folded = any(isinstance(form, TextForm) and form.folded for form in forms)
    return _Search(machines, ascii_only=folded).texts()


def _machines(form: Form) -> list[Automaton | Numeral]:
    if isinstance(form, RangeForm):
        return [Numeral.of(form)]
    if not isinstance(form, TextForm):
        return []
    if form.pattern is not None:
        return [regex_automaton(form.pattern, folded=form.folded)]
    return [glob_automaton(glob) for glob in form.globs]


def _another(literals: set[str]) -> str:
    number = 0
    while (text := "other" + ("" if not number else str(number))) in literals:
        number += 1
    return text


@dataclass(slots=True)
class _Search:
    """Searches the texts that several automata distinguish, the shortest first."""

    machines: Sequence[Any]
    ascii_only: bool = False
    _after: dict[tuple[int, Any, int], frozenset[Any]] = field(default_factory=dict)

    def texts(self) -> list[str]:
        alphabet = self._alphabet()
        start = frozenset((number, state) for number, one in enumerate(self.machines) for state in one.start())
        seen = {start: ""}
        found: dict[frozenset[int], str] = {self._empty(): ""}
        waiting = [start]
        for states in waiting:
            for code in alphabet:
                reached = self._reached(states, code)
                if reached in seen:
                    continue
                text = seen[reached] = seen[states] + chr(code)
                waiting.append(reached)
                found.setdefault(self._accepting(reached), text)
                if len(seen) > MOST_STATES:
                    raise Unsure("the patterns of one key are too many, or too intertwined, for a proof")
        return list(found.values())

    def _empty(self) -> frozenset[int]:
        return frozenset(number for number, one in enumerate(self.machines) if one.accepts_nothing_read())

    def _accepting(self, states: frozenset[tuple[int, Any]]) -> frozenset[int]:
        by_machine: dict[int, list[Any]] = {}
        for number, state in states:
            by_machine.setdefault(number, []).append(state)
        return frozenset(number for number, some in by_machine.items() if self.machines[number].accepts(some))

    def _reached(self, states: frozenset[tuple[int, Any]], code: int) -> frozenset[tuple[int, Any]]:
        reached: set[tuple[int, Any]] = set()
        for number, state in states:
            key = number, state, code
            if key not in self._after:
                self._after[key] = frozenset((number, one) for one in self.machines[number].after(state, code))
            reached |= self._after[key]
        return frozenset(reached)

    def _alphabet(self) -> list[int]:
        """Returns one character of each kind that the automata distinguish."""
        every = {spans for one in self.machines for spans in one.spans()}
        ends = {end for spans in every for low, high in spans for end in (low, high + 1)}
        last = 127 if self.ascii_only else LAST
        starts = sorted({0, 0xD800, 0xE000, *(end for end in ends if end <= last)})
        liked = [ord(one) for one in LIKED]
        kinds: dict[frozenset[tuple[Span, ...]], int] = {}
        for code in (*liked, *(start for start in starts if not 0xD800 <= start < 0xE000 and start <= last)):
            kinds.setdefault(frozenset(spans for spans in every if within(code, spans)), code)
        return list(kinds.values())
