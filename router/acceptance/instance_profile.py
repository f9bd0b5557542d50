"""Defines the instance profile: what the suite found out about one instance, as a TOML file.

The words are those of the sandbox's switches. ``connect-router sandbox --profile`` behaves as the file describes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from router.acceptance.lab import Length
from router.acceptance.probe import SWITCHES, ProbeResult, Value
from router.durations import format_duration, parse_duration
from router.problems import Problem, Problems, as_written
from router.sandbox.behaviours import Behaviours
from router.toml_source import TomlSource, located, read_bytes

FILE = "instance-profile.toml"
OLD_AFTER = timedelta(days=90)
_IDS = re.compile(r"arn:[^\s\"]+|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9]{12}\b")


class ProfileTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FindingTable(ProfileTable):
    """Holds one finding. It has a value, or the reason why there is none."""

    question: str = ""
    value: bool | str | None = None
    unsettled: str | None = None
    remark: str = ""
    figures: dict[str, float] = {}
    evidence: list[str] = []


class InstanceProfile(ProfileTable):
    """Holds the whole file. ``instance`` is missing in a profile that was shared without ids."""

    format: Literal[1] = 1
    taken_at: AwareDatetime
    length: Length
    botocore: Annotated[str, Field(min_length=1)]
    router: Annotated[str, Field(min_length=1)]
    instance: str | None = None
    region: str | None = None
    finding: dict[str, FindingTable] = {}

    @property
    def settled(self) -> dict[str, Value]:
        """Returns the values of the sandbox's switches that the profile knows."""
        return {
            name: parse_duration(str(table.value)) if SWITCHES[name] is None else table.value
            for name, table in self.finding.items()
            if name in SWITCHES and table.value is not None
        }

    def applied_to(self, behaviours: Behaviours) -> Behaviours:
        """Returns the behaviours with the values of the profile; unsettled ones stay as they are."""
        changes: dict[str, Any] = dict(self.settled)
        return replace(behaviours, **changes)

    def without_ids(self) -> InstanceProfile:
        """Returns the profile without instance, account, request and contact ids, to be shared."""
        tables = {
            name: table.model_copy(
                update={
                    "evidence": [hidden(line) for line in table.evidence],
                    "remark": hidden(table.remark),
                    "unsettled": None if table.unsettled is None else hidden(table.unsettled),
                }
            )
            for name, table in self.finding.items()
        }
        return self.model_copy(update={"instance": None, "finding": tables})

    def objections(self, *, now: datetime, botocore: str, instance: str) -> Iterator[str]:
        """Yields why the profile may not describe the instance any longer."""
        age = now - self.taken_at
        if age > OLD_AFTER:
            yield f"the profile is {age.days} days old: run connect-router acceptance again"
        if self.botocore != botocore:
            yield f"the profile was taken with botocore {self.botocore}, and {botocore} is installed"
        if self.instance is not None and self.instance.rpartition("/")[2] != instance:
            yield f"the profile is of another instance ({self.instance})"


def hidden(text: str) -> str:
    return _IDS.sub("…", text)


def table_of(finding: ProbeResult) -> FindingTable:
    """Returns the finding as a table of the file. A value that the sandbox does not know is unsettled."""
    value, unsettled = finding.value, finding.unsettled
    known = SWITCHES.get(finding.name)
    if value is not None and known is not None and value not in known:
        value, unsettled = None, f"Connect showed {as_written(str(value))}, which the sandbox does not know"
    return FindingTable(
        question=finding.question,
        value=format_duration(value) if isinstance(value, timedelta) else value,
        unsettled=unsettled,
        remark=finding.remark,
        figures=dict(finding.figures),
        evidence=list(finding.evidence),
    )


def profile_of(
    findings: Iterable[ProbeResult], *, taken_at: datetime, length: Length, botocore: str, router: str, arn: str
) -> InstanceProfile:
    """Returns the profile of a run."""
    return InstanceProfile(
        taken_at=taken_at.astimezone(UTC).replace(microsecond=0),
        length=length,
        botocore=botocore,
        router=router,
        instance=arn,
        region=arn.split(":")[3],
        finding={finding.name: table_of(finding) for finding in findings},
    )


def load_profile(path: Path) -> InstanceProfile:
    """Reads a profile. Raises ``Problems`` with every mistake, each with its place."""
    source = TomlSource.parse(str(path), read_bytes(path))
    try:
        profile = InstanceProfile.model_validate(source.data)
    except ValidationError as error:
        raise Problems(located(error, source, InstanceProfile)) from error
    mistakes = list(_mistakes(profile, source))
    if mistakes:
        raise Problems(mistakes)
    return profile


def _mistakes(profile: InstanceProfile, source: TomlSource) -> Iterator[Problem]:
    for name, table in profile.finding.items():
        if name not in SWITCHES or table.value is None:
            continue
        known, place = SWITCHES[name], ("finding", name, "value")
        if known is not None and table.value not in known:
            words = ", ".join(json.dumps(value) for value in known)
            yield source.problem(place, f"expected one of {words}, got {json.dumps(table.value)}")
        elif known is None:
            try:
                parse_duration(str(table.value))
            except ValueError as error:
                yield source.problem(place, str(error))


HEAD = "Written by connect-router acceptance. A finding has a value, or the reason why it is unsettled."


def text_of(profile: InstanceProfile) -> str:
    """Returns the profile as TOML."""
    top = profile.model_dump(exclude={"finding"}, exclude_none=True)
    lines = [f"# {HEAD}\n", *(f"{key} = {_written(value)}\n" for key, value in top.items())]
    for name, table in profile.finding.items():
        lines.append(f"\n[finding.{name}]\n")
        shown: Mapping[str, Any] = table.model_dump(exclude_none=True)
        lines += [f"{key} = {_written(value)}\n" for key, value in shown.items() if value not in ("", {}, [])]
    return "".join(lines)


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_written(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_written(inner)},\n" for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)
