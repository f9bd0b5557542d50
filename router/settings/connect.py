"""``[connect]``: which instance, and where."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from router.problems import as_written
from router.settings.section import Section, refusal

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_REGION = "[a-z]{2,6}(?:-[a-z]+)+-[0-9]{1,2}"
_ARN = re.compile(f"arn:aws[a-z-]*:connect:({_REGION}):([0-9]{{12}}):instance/({_UUID})")


def _instance(text: str) -> str:
    if re.fullmatch(_UUID, text) or _ARN.fullmatch(text):
        return text
    raise refusal(
        "{got} is neither an instance id (11111111-2222-3333-4444-555555555555) nor an instance ARN "
        "(arn:aws:connect:REGION:ACCOUNT:instance/ID)",
        got=as_written(text),
    )


def _region(text: str) -> str:
    if re.fullmatch(_REGION, text):
        return text
    raise refusal("{got} has not the form of a region, such as us-east-1", got=as_written(text))


class Connect(Section):
    """The instance that is watched. ``region`` is the ARN's where an ARN is given and no region."""

    instance: Annotated[
        str,
        AfterValidator(_instance),
        Field(
            description="id or ARN of the Amazon Connect instance",
            json_schema_extra={"pattern": f"^(?:{_ARN.pattern}|{_UUID})$"},
        ),
    ]
    region: Annotated[
        Annotated[str, AfterValidator(_region), Field(json_schema_extra={"pattern": f"^{_REGION}$"})] | None,
        Field(description="AWS Region; else the ARN's, else the SDK's own resolution"),
    ] = Field(None, validate_default=True)

    @field_validator("region")
    @classmethod
    def _agrees_with_the_arn(cls, region: str | None, info: ValidationInfo) -> str | None:
        arn = _ARN.fullmatch(info.data.get("instance", ""))
        if arn is None or region == arn[1]:
            return region
        if region is not None:
            raise refusal("the instance's ARN is of {other}, not of {region}", other=arn[1], region=region)
        return arn[1]

    @property
    def instance_id(self) -> str:
        """The bare id, also where the configuration gives an ARN."""
        return self.instance.rpartition("/")[2]

    @property
    def account(self) -> str | None:
        """The AWS account in the ARN; ``None`` where the configuration gives a bare id."""
        arn = _ARN.fullmatch(self.instance)
        return arn[2] if arn is not None else None
