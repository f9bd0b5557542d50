"""Reduces a command's output to its shape: the words, without times, ids, figures and names."""

from __future__ import annotations

import re

NAMES = (
    "Billing Overflow", "Claims Overflow", "Night Desk", "Supervisors", "Follow-ups", "Helpdesk", "Billing", "Claims",
    "General", "VIP", "billing-overflow-full", "billing-overflow", "preferred-agent", "helpdesk-night", "helpdesk-day",
    "hands-off", "vip-claims", "vip-mail", "claims", "supervisor.one",
)  # fmt: skip
PUT_ASIDE = (
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
    (r"(?<= )[0-9a-f]{8}(?=  )", "ID"),
    (r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}\b", "REVISION"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"(?:[\w./-]*/)?(config\.toml|ledger\.db|rules)(?=[, ]|$)", r"\1"),
    (r"\b(EMAIL|TASK)\b", "CHANNEL"),
    ("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in NAMES), "NAME"),
    (r"\b(\d+[dhms])+\b", "SPAN"),
    (r"\b\d+(\.\d+)?\b", "N"),
    (r"\bN (\w+?)s?\b", r"N \1"),
    # The rows of a table may have empty cells.
    (r"^NAME(\s+(N%?|SPAN))+( +no rule| +N without a rule)?$", "NAME CELLS"),
    (r"^(WELL|LATE|BEHIND|DEGRADED) .*", "HEALTH"),
    # A list of figures has an entry for each kind that occurred.
    (r"^(\w+ +)(N: )?(\w+ N, )*\w+ N(, …)?$", r"\1FIGURES"),
    (r"^(late|moved|in time|no rule) .*", r"\1"),
    (r"^(N waiting, N ungoverned).*", r"\1"),
)


def shape(line: str) -> str:
    for pattern, replacement in PUT_ASIDE:
        line = re.sub(pattern, replacement, line)
    return " ".join(line.split())


def missing(sample: str, printed: str) -> list[str]:
    """Returns the sample's lines whose shape was not printed. … marks omitted lines."""
    shapes = {shape(line) for line in printed.splitlines()}
    return [line for line in sample.splitlines() if line.strip() not in ("", "…") and shape(line) not in shapes]
