"""Reads the rates of Connect's operations that AWS allows this account, from Service Quotas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from router.connect.client import Unreachable
from router.connect.quotas import Rate
from router.sdk_errors import describe_error

MISREAD = frozenset({"GetCurrentMetricData", "GetCurrentUserData"})
"""Service Quotas may show 200 a second for these, which is wrong (Amazon Connect service quotas, API throttling)."""

_NAME = re.compile(r"Rate of (\w+) API requests")
MOST_ROWS = 5_000

ClientMaker = Callable[[], Any]
"""A boto3 client of ``service-quotas``."""


class QuotasUnread(Exception):
    """Reports in one line why the rates could not be read."""


def read_rates(make_client: ClientMaker, known: Mapping[str, Rate]) -> dict[str, Rate]:
    """Returns what this account has, by operation, for those that are ``known``. Raises ``QuotasUnread``.

    The burst is the documented one, because Service Quotas has none.
    """
    try:
        rows = list(_rows(make_client()))
    except Unreachable as error:
        raise QuotasUnread(str(error)) from None
    except (ClientError, BotoCoreError, ValueError, LookupError, TypeError) as error:
        raise QuotasUnread(describe_error(error)) from None
    found: dict[str, Rate] = {}
    for row in rows:
        named = _NAME.fullmatch(str(row.get("QuotaName", "")))
        value = row.get("Value")
        operation = named.group(1) if named else ""
        if operation in known and operation not in MISREAD and isinstance(value, int | float) and 0 < value < 10_000:
            found[operation] = Rate(float(value), known[operation].burst)
    return found


def _rows(client: Any) -> Iterator[Mapping[str, Any]]:
    pages = client.get_paginator("list_service_quotas").paginate(
        ServiceCode="connect", PaginationConfig={"PageSize": 100, "MaxItems": MOST_ROWS}
    )
    for page in pages:
        yield from page.get("Quotas") or ()
