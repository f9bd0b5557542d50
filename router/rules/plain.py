"""Conditions on what a search tells, compiled to a plain yes or no: most rules are not those of most contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from router.rules.condition import AllOf, AnyOf, Condition, Test, Value
from router.rules.form import TextForm

Values = Mapping[str, Value | None]
Plain = Callable[[Values], bool]
"""Asked with the contact's values by match key."""

KEYS = frozenset({"channel", "queue", "name", "initiation_method", "subtype"})
GROUPS = frozenset({"tags", "segment_attributes"})
FEW_VALUES = frozenset({"channel", "queue", "initiation_method", "subtype"})
"""Keys of which an instance knows so few values that what each comes to can be kept."""


def plain(condition: Condition) -> Plain | None:
    """``None`` where a test asks for more than a search tells, or for what changes with time: then only ``match``
    tells."""
    if isinstance(condition, Test):
        return _test(condition)
    children = [plain(child) for child in condition.children]
    known = [child for child in children if child is not None]
    if len(known) < len(children):
        return None
    if isinstance(condition, AllOf):
        return known[0] if len(known) == 1 else lambda values: all(child(values) for child in known)
    if isinstance(condition, AnyOf):
        return lambda values: any(child(values) for child in known)
    return lambda values: not any(child(values) for child in known)


def _test(test: Test) -> Plain | None:
    key, fits = test.key, test.fits
    if key not in KEYS and key.partition(".")[0] not in GROUPS:
        return None
    form = test.form
    exact = isinstance(form, TextForm) and not (form.globs or form.negated or form.folded)
    if exact and isinstance(form, TextForm) and form.pattern is None and form.present is None and key != "queue":
        literals = frozenset(form.literals)
        return lambda values: values[key] in literals
    if key not in FEW_VALUES:
        return lambda values: fits(values[key])
    return _remembering(key, fits)


def _remembering(key: str, fits: Callable[[Value | None], bool]) -> Plain:
    known: dict[Value | None, bool] = {}

    def ask(values: Values) -> bool:
        value = values[key]
        found = known.get(value)
        if found is None:
            found = known[value] = fits(value)
        return found

    return ask
