"""Evaluates the search criteria that SearchQueues and SearchUsers share: string conditions under AND and OR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.sandbox.refusal import invalid_parameter

OFFERED = {"OrConditions", "AndConditions", "StringCondition", "QueueTypeCondition"}


def criteria_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the search criteria. Raises ``Refusal`` if the call also filters by tags or hierarchy."""
    if params.get("SearchFilter"):
        raise invalid_parameter("the sandbox does not offer SearchFilter")
    criteria: Mapping[str, Any] = params.get("SearchCriteria") or {}
    return criteria


def fits(criteria: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    """Returns whether the fields fulfil the criteria; upper and lower case are the same.

    Raises ``Refusal`` for an unknown field or a condition that the sandbox does not offer."""
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
