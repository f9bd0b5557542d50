"""Holds ``[quotas]``: requests per second and burst, operation by operation, and AWS's documented ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from router.settings.field_types import Section


class Quota(Section):
    """Holds what the account and Region allow as a whole, without ``share``."""

    rate: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False, description="requests per second")]
    burst: Annotated[int, Field(ge=1, le=10_000, description="requests at once after a time without any")]


def _general() -> Quota:
    """Returns the quota of every operation that the table of exceptions does not name."""
    return Quota(rate=2, burst=5)


DOCUMENTED_QUOTAS: Mapping[str, Quota] = {
    "SearchContacts": Quota(rate=0.5, burst=1),
    "TransferContact": _general(),
    "DescribeContact": Quota(rate=10, burst=15),
    "UpdateContactRoutingData": Quota(rate=20, burst=20),
    "ListAssociatedContacts": _general(),
    "GetCurrentMetricData": Quota(rate=5, burst=8),
    "GetCurrentUserData": _general(),
    "DescribeInstance": _general(),
    "ListQueues": _general(),
    "SearchQueues": _general(),
    "ListContactFlows": _general(),
    "DescribeContactFlow": _general(),
    "ListUsers": _general(),
    "ListAgentStatuses": _general(),
    "ListRoutingProfileQueues": _general(),
    "SearchRoutingProfiles": _general(),
    "ListHoursOfOperations": _general(),
    "DescribeHoursOfOperation": _general(),
    "GetEffectiveHoursOfOperations": _general(),
}
"""The operations that the router may call, with AWS's defaults for a new account. The account and Region share them
(Amazon Connect administrator guide, service quotas, "API throttling quotas"). If another source names more than the
general rule of 2 and 5, the general rule is used here: too slow is safer than throttled."""


class _Quotas(Section):
    source: Annotated[
        Literal["documented", "auto"],
        Field(description="documented: AWS's defaults; auto: the rates that Service Quotas has for this account"),
    ] = "documented"
    share: Annotated[
        float,
        Field(gt=0, le=1, allow_inf_nan=False, description="how much of each rate this process may use"),
    ] = 0.8

    @property
    def given(self) -> frozenset[str]:
        """Returns the operations whose quota the configuration sets; Service Quotas is not read for those."""
        return frozenset(DOCUMENTED_QUOTAS).intersection(self.model_fields_set)

    @property
    def rates(self) -> Mapping[str, Quota]:
        """Returns the quotas by operation, with those of the configuration; ``share`` is not yet applied."""
        return {operation: getattr(self, operation) for operation in DOCUMENTED_QUOTAS}


if TYPE_CHECKING:
    Quotas = _Quotas
else:
    _fields: dict[str, Any] = {
        operation: (Quota, Field(quota, description=f"the quota of {operation}"))
        for operation, quota in DOCUMENTED_QUOTAS.items()
    }
    Quotas = create_model("Quotas", __base__=_Quotas, __module__=__name__, **_fields)
