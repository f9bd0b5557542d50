"""The search criteria that SearchQueues and SearchUsers share: string conditions under AND and OR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.sandbox.refusal import invalid_parameter

OFFERED = {"OrConditions", "AndConditions", "StringCondition", "QueueTypeCondition"}


def criteria_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises ``Refusal`` where a filter by tags or hierarchy comes with them."""
    if params.get("SearchFilter"):
        raise invalid_parameter("the sandbox does not offer SearchFilter")
    criteria: Mapping[str, Any] = params.get("SearchCriteria") or {}
    return criteria


def fits(criteria: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    """Wait does not count. Raises ``Refusal`` for a condition that the sandbox does not offer, or an unknown field."""
    other = set(criteria) - OFFERED
    if other:
        raise invalid_parameter(f"the sandbox does not offer {', '.join(sorted(other))} in SearchCriteria")
    if criteria.get("OrConditions") and not any(fits(each, fields) for each in criteria["OrConditions"]):
        return False
    if not all(fits(each, fields) for each in criteria.get("AndConditions") or ()):
        return False
    return "StringCondition" not in criteria or _matches(criteria["StringCondition"], fields)


def _matches(condition: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    name = condition.get("FieldName", "")
    known = {key.lower(): value for key, value in fields.items()}
    if name.lower() not in known:
        raise invalid_parameter(f"unknown field {name!r}; there are {', '.join(fields)}")
    value, wanted = known[name.lower()].lower(), condition.get("Value", "").lower()
    how = condition.get("ComparisonType", "EXACT")
    if how == "STARTS_WITH":
        return value.startswith(wanted)
    return wanted in value if how == "CONTAINS" else value == wanted
