"""Finds a contact that fits two conditions; no finding means that there may be none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain, islice, product

from router.prove.implication import key_of
from router.rules.condition import AnyOf, Condition, NoneOf, Test
from router.rules.file.field_types import written, written_key
from router.rules.file.match_table import CHANNELS
from router.rules.match_keys import match_key
from router.rules.value_test import HoursForm, RangeForm, TextForm, Value

MOST_WAYS = 16
"""In how many ways a condition with alternatives may hold; further ones are not looked at."""
Wanted = tuple[Test, bool]
"""A test, and whether it must hold or fail."""
Found = Mapping[str, Value | None]
"""The values of a contact, as far as the conditions test them; ``None``: it has none."""
OTHER = "another value"
_COUNTS = {"priority": [str(one) for one in range(1, 11)], "transfers": [str(one) for one in range(12)]}


def common_contact(one: Condition, other: Condition, queues: Sequence[str]) -> Found | None:
    """Returns values of a contact that surely fits both conditions. ``queues`` are those that the rules name.

    Values of different keys do not depend on each other, except that no contact is younger than its wait. A regular
    expression is tried with the other texts of the conditions only. All hours of operation are open, or all closed.
    """
    for ours, theirs in product(_ways(one), _ways(other)):
        found = _values_for((*ours, *theirs), queues)
        if found is not None:
            return found
    return None


def shown(found: Found) -> str:
    """Returns the contact's values as a condition of a rule file would name them."""
    return ", ".join(_shown(key, value) for key, value in found.items())


def _shown(key: str, value: Value | None) -> str:
    head, dot, name = key.partition(".")
    full = head + dot + (written_key(name) if name else "")
    return f"no {full}" if value is None else f"{full} = {written(value)}"


def _ways(condition: Condition) -> list[tuple[Wanted, ...]]:
    return list(islice(_each_way(condition, holds=True), MOST_WAYS))


def _each_way(condition: Condition, *, holds: bool) -> Iterator[tuple[Wanted, ...]]:
    if isinstance(condition, Test):
        yield ((condition, holds),)
        return
    inside = holds is not isinstance(condition, NoneOf)
    each = [list(islice(_each_way(child, holds=inside), MOST_WAYS)) for child in condition.children]
    if isinstance(condition, AnyOf) is holds:  # one child is enough
        yield from chain.from_iterable(each)
    else:
        yield from (tuple(chain.from_iterable(parts)) for parts in product(*each))


def _values_for(tests: Iterable[Wanted], queues: Sequence[str]) -> Found | None:
    by_key: dict[str, list[Wanted]] = {}
    for test, wanted in tests:
        by_key.setdefault(key_of(test), []).append((test, wanted))
    found: dict[str, Value | None] = {}
    for key in sorted(by_key, key="age".__eq__):
        values = _ages(by_key[key], found.get("waited")) if key == "age" else _candidates(key, by_key[key], queues)
        for value in values:
            if all(test.fits(value) is wanted for test, wanted in by_key[key]):
                found[key] = value
                break
        else:
            return None
    return found


def _ages(tests: Iterable[Wanted], waited: Value | None) -> list[Value | None]:
    """Returns ages that are not below the time for which the contact has waited."""
    least = waited if isinstance(waited, timedelta) else timedelta()
    return [least, *(age for age in _candidates("age", tests, ()) if isinstance(age, timedelta) and age >= least)]


def _candidates(key: str, tests: Iterable[Wanted], queues: Sequence[str]) -> Iterable[Value | None]:
    """Returns values at the edges of what the tests accept and refuse, durations from short to long."""
    if key == "channel":
        return CHANNELS
    forms = [test.form for test, _ in tests]
    if any(isinstance(form, HoursForm) for form in forms):
        return ["open", "closed"]
    ends = [end for form in forms if isinstance(form, RangeForm) for end in (form.min, form.max) if end is not None]
    if any(isinstance(end, timedelta) for end in ends):
        near = [timedelta(seconds=seconds) for seconds in (-1, 0, 1)]
        spans = {end + one for end in ends if isinstance(end, timedelta) for one in near}
        return sorted(span for span in spans if span >= timedelta())
    numbers = [end for end in ends if isinstance(end, Decimal)]
    texts = [text for form in forms if isinstance(form, TextForm) for text in (*form.literals, *_expanded(form.globs))]
    texts += [format(number + one, "f") for number in numbers for one in (0, -1, 1)]
    if key == "queue":
        return chain(texts, queues)
    if key in ("priority", "transfers"):
        return [text for text in texts if text in _COUNTS[key]]
    return [*texts, OTHER, None] if match_key(key).group else [*texts, OTHER]


def _expanded(globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        yield glob.replace("*", "").replace("?", "x")
        yield glob.replace("*", "x").replace("?", "x")
