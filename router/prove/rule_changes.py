"""Lists the rules that differ between two rule sets, by their content."""

from __future__ import annotations

from collections.abc import Iterator

from router.rules.rule import Rule, RuleSet

PARTS = {
    "match": "condition",
    "steps": "steps",
    "sla": "sla",
    "guard": "guard",
    "mode": "mode",
    "on_hold": "on_hold",
    "from": "from_at",
    "until": "until_at",
}

NO_CONTENT = ("place", "label", "fits")
"""Fields of the parts of a rule that do not change what it does, or repeat it as code."""


def changes_of(before: RuleSet, after: RuleSet) -> Iterator[str]:
    """Yields a line for each rule that was removed, added, changed or moved among the rules that both sets have."""
    old, new = ({rule.name: rule for rule in one.rules} for one in (before, after))
    yield from (f"removed: rule '{name}' ({rule.place})" for name, rule in old.items() if name not in new)
    yield from (f"added: rule '{name}' ({rule.place})" for name, rule in new.items() if name not in old)
    for name, rule in new.items():
        if name in old and old[name].fingerprint != rule.fingerprint:
            yield f"changed: rule '{name}' ({rule.place}): {', '.join(_parts(old[name], rule)) or 'match'}"
    common = [name for name in new if name in old]
    if common != [name for name in old if name in new]:
        yield f"in another order: {', '.join(common)}"


def _parts(one: Rule, other: Rule) -> list[str]:
    return [part for part, key in PARTS.items() if _plain(getattr(one, key)) != _plain(getattr(other, key))]


def _plain(value: object) -> object:
    """Returns the value without the places of its parts in the files."""
    if hasattr(value, "__dataclass_fields__"):
        names = [name for name in value.__dataclass_fields__ if not name.startswith("_") and name not in NO_CONTENT]
        return tuple((name, _plain(getattr(value, name))) for name in names)
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value
