"""Proves that one condition implies or excludes another: "yes" is certain, "no" means that there is no proof."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from router.rules.condition import AllOf, AnyOf, Condition, NoneOf, Test
from router.rules.value_test import Form, HoursForm, RangeForm, TextForm

_ID = re.compile(r"(agent/)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SUBTYPE = "segment_attributes.connect:Subtype"


def is_id(reference: str) -> bool:
    """Returns whether a reference is an id and not a name; only the instance knows which name an id belongs to."""
    return _ID.fullmatch(reference) is not None


@dataclass(slots=True)
class Prover:
    """Remembers its proofs, so that nested conditions cost no more than their product."""

    _implied: dict[tuple[int, int], bool] = field(default_factory=dict)
    _excluded: dict[tuple[int, int], bool] = field(default_factory=dict)

    def implies(self, one: Condition, other: Condition) -> bool:
        """Returns whether every contact that fits ``one`` fits ``other``."""
        key = id(one), id(other)
        if key not in self._implied:
            self._implied[key] = self._implies(one, other)
        return self._implied[key]

    def excludes(self, one: Condition, other: Condition) -> bool:
        """Returns whether no contact fits both."""
        key = id(one), id(other)
        if key not in self._excluded:
            self._excluded[key] = self._excludes(one, other) or self._excludes(other, one)
        return self._excluded[key]

    def impossible(self, condition: Condition) -> bool:
        """Returns whether no contact fits."""
        if isinstance(condition, Test):
            return False
        if isinstance(condition, AnyOf):
            return all(self.impossible(child) for child in condition.children)
        if isinstance(condition, NoneOf):
            return any(always(child) for child in condition.children)
        parts = list(_parts(condition))
        if any(self.impossible(part) for part in parts if part is not condition):
            return True
        return any(self.excludes(one, other) for index, one in enumerate(parts) for other in parts[index + 1 :])

    def _implies(self, one: Condition, other: Condition) -> bool:
        if isinstance(other, AllOf):
            return all(self.implies(one, child) for child in other.children)
        if isinstance(one, AnyOf):
            return all(self.implies(child, other) for child in one.children)
        if isinstance(one, AllOf) and any(self.implies(child, other) for child in one.children):
            return True
        if isinstance(other, AnyOf):
            return any(self.implies(one, child) for child in other.children)
        if isinstance(other, NoneOf):
            return _same(one, other) or all(self.excludes(one, child) for child in other.children)
        return isinstance(one, Test) and isinstance(other, Test) and _test_implies(one, other)

    def _excludes(self, one: Condition, other: Condition) -> bool:
        if isinstance(one, AnyOf):
            return all(self.excludes(child, other) for child in one.children)
        if isinstance(one, AllOf):
            return any(self.excludes(child, other) for child in one.children)
        if isinstance(one, NoneOf):
            return any(self.implies(other, child) for child in one.children)
        return isinstance(other, Test) and key_of(one) == key_of(other) and _forms_exclude(one.form, other.form)


def _parts(condition: AllOf) -> list[Condition]:
    found: list[Condition] = []
    for child in condition.children:
        found.extend(_parts(child) if isinstance(child, AllOf) else [child])
    return found


def key_of(test: Test) -> str:
    """Returns the key of the value that a test compares; the subtype has two names."""
    return SUBTYPE if test.key == "subtype" else test.key


def always(condition: Condition) -> bool:
    """Returns whether every waiting contact fits: each has a channel and a queue."""
    if not isinstance(condition, Test) or condition.key not in ("channel", "queue"):
        return False
    form = condition.form
    if not isinstance(form, TextForm) or form.negated or form.pattern is not None:
        return False
    both = condition.key == "channel" and {"TASK", "EMAIL"} <= set(form.literals)
    return form.present is True or any(set(glob) == {"*"} for glob in form.globs) or both


def _same(one: Condition, other: Condition) -> bool:
    if isinstance(one, Test) and isinstance(other, Test):
        return (key_of(one), one.form) == (key_of(other), other.form)
    if isinstance(one, Test) or isinstance(other, Test):
        return False
    pairs = zip(one.children, other.children, strict=False)
    return type(one) is type(other) and len(one.children) == len(other.children) and all(_same(*pair) for pair in pairs)


def _test_implies(one: Test, other: Test) -> bool:
    if always(other):
        return True
    return key_of(one) == key_of(other) and one.form is not None and _form_implies(one.form, other.form)


def _form_implies(one: Form, other: Form | None) -> bool:
    if one == other:
        return True
    if isinstance(one, RangeForm):
        if isinstance(other, RangeForm):
            return _within(one, other)
        return isinstance(other, TextForm) and other.present is True
    return isinstance(one, TextForm) and _text_implies(one, other)


def _text_implies(one: TextForm, other: Form | None) -> bool:
    if isinstance(other, RangeForm):
        return _listed(one) and not one.names and all(other(literal) for literal in one.literals)
    if not isinstance(other, TextForm):
        return False
    if one.present is False:
        return other.negated
    if one.present is True or one.negated:
        return one.negated and other.negated and _covers(one, other)
    if other.present is not None:
        return other.present
    if other.negated:
        return _forms_exclude(one, _positive(other))
    return one.pattern is None and _covers(other, one)


def _covers(wide: TextForm, narrow: TextForm) -> bool:
    """Returns whether every literal and glob of ``narrow`` lies within ``wide``."""
    if wide.pattern is not None or narrow.pattern is not None:
        return wide.pattern == narrow.pattern
    if any(set(glob) == {"*"} for glob in wide.globs):
        return True
    literals = all(literal in wide.literals or _fits_glob(wide, literal) for literal in narrow.literals)
    return literals and set(narrow.globs) <= set(wide.globs)


def _fits_glob(form: TextForm, literal: str) -> bool:
    if form.names and is_id(literal):
        return False
    return TextForm.of(form.globs, names=form.names, folded=form.folded)((literal,)) if form.globs else False


def _positive(form: TextForm) -> TextForm:
    return TextForm.of((*form.literals, *form.globs), names=form.names, folded=form.folded)


def _listed(form: TextForm) -> bool:
    """Returns whether the form is a plain list of texts."""
    return bool(form.literals) and not form.globs and form.pattern is None and form.present is None and not form.negated


def _forms_exclude(one: Form | None, other: Form | None) -> bool:
    if isinstance(one, RangeForm) and isinstance(other, RangeForm):
        return _apart(one, other) or _apart(other, one)
    if isinstance(one, HoursForm) and isinstance(other, HoursForm):
        return one.name == other.name and one.wanted != other.wanted
    if not isinstance(one, TextForm):
        return isinstance(other, TextForm) and _text_excludes(other, one)
    return _text_excludes(one, other) or (isinstance(other, TextForm) and _text_excludes(other, one))


def _text_excludes(one: TextForm, other: Form | None) -> bool:
    if one.present is False:
        return isinstance(other, RangeForm) or (isinstance(other, TextForm) and not other(None))
    if not _listed(one):
        return False
    if isinstance(other, TextForm):
        if one.names and not _comparable(one, other):
            return False
        return not any(other((literal,)) for literal in one.literals)
    return isinstance(other, RangeForm) and not any(other(literal) for literal in one.literals)


def _comparable(one: TextForm, other: TextForm) -> bool:
    """Returns whether both forms are about names, or both about ids and without patterns."""
    kinds = {is_id(literal) for literal in (*one.literals, *other.literals)}
    if other.globs or other.pattern is not None:
        kinds.add(False)
    return len(kinds) <= 1


def _within(one: RangeForm, other: RangeForm) -> bool:
    low = other.min is None or (one.min is not None and _le(other.min, one.min))
    return low and (other.max is None or (one.max is not None and _le(one.max, other.max)))


def _apart(one: RangeForm, other: RangeForm) -> bool:
    """Returns whether ``one`` lies below ``other``."""
    return one.max is not None and other.min is not None and _le(one.max, other.min) and one.max != other.min


def _le(low: object, high: object) -> bool:
    return type(low) is type(high) and low <= high  # type: ignore[operator]
