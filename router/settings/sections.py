"""Holds the tables of config.toml, with every key's type, default and meaning. ``cross_checks`` compares keys."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from router.durations import SEARCHABLE, Duration
from router.model import Home
from router.problems import as_written, did_you_mean
from router.settings.field_types import REGION as _REGION
from router.settings.field_types import FilePath, Number, Positive, Section, refusal, usable_path

# ``[connect]``: which instance, and where.

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
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


class ConnectSettings(Section):
    """Names the instance that is watched. ``region`` is the ARN's if an ARN is given and no region."""

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
            text = "the instance's ARN is of {other}, not of {region}: leave region out"
            raise refusal(text, other=arn[1], region=region)
        return arn[1]

    @property
    def instance_id(self) -> str:
        """Returns the bare id, also if the configuration gives an ARN."""
        return self.instance.rpartition("/")[2]

    @property
    def home(self) -> Home:
        """Returns the instance as far as the configuration names it."""
        return Home(self.instance_id, self.region, self.account)

    @property
    def account(self) -> str | None:
        """Returns the AWS account in the ARN; ``None`` if the configuration gives a bare id."""
        arn = _ARN.fullmatch(self.instance)
        return arn[2] if arn is not None else None


LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path on Linux (unix(7), sun_path)."""

CHANNELS = ("TASK", "EMAIL")


def _channel(name: str) -> str:
    if name in CHANNELS:
        return name
    if name in {"VOICE", "CHAT"}:
        raise refusal("Connect cannot transfer {name} contacts through its API: only TASK and EMAIL", name=name)
    raise refusal(
        'expected "TASK" or "EMAIL", got {got}{hint}', got=as_written(name), hint=did_you_mean(name, CHANNELS)
    )


def _channels(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise refusal("must not be empty")
    if len(set(names)) < len(names):
        raise refusal("names a channel twice")
    return names


def _searchable(lookback: timedelta) -> timedelta:
    if lookback > SEARCHABLE:
        raise refusal('must be at most "730d": Connect finds contacts of the last two years')
    return lookback


_TABLE = "[A-Za-z0-9_.-]{3,255}"
"""Naming rules of DynamoDB (Amazon DynamoDB Developer Guide)."""


def _ledger_url(url: str) -> str:
    kind, colon, rest = url.partition(":")
    if kind == "dynamodb" and colon:
        if re.fullmatch(_TABLE, rest) is None:
            raise refusal(
                "the name of a DynamoDB table has 3 to 255 of the characters A-Z a-z 0-9 _ . -, got {got}",
                got=as_written(rest),
            )
        return url
    if kind != "sqlite" or not colon or rest.startswith("//") or rest == ":memory:" or not rest.strip():
        raise refusal(
            'expected "sqlite:PATH", as in "sqlite:ledger.db", or "dynamodb:TABLE", got {got}', got=as_written(url)
        )
    usable_path(rest)
    return url


def _socket(text: str) -> str:
    usable_path(text)
    if len(text.encode(errors="surrogateescape")) > LONGEST_SOCKET:
        raise refusal("the path of a socket has at most {most} bytes", most=LONGEST_SOCKET)
    return text


def _journal(path: str) -> str:
    return usable_path(path) if path else path


Channels = Annotated[
    tuple[Annotated[str, AfterValidator(_channel), Field(json_schema_extra={"enum": [*CHANNELS]})], ...],
    Field(strict=False, json_schema_extra={"minItems": 1, "uniqueItems": True}),
    AfterValidator(_channels),
]


class RetrySettings(Section):
    """Holds ``[execute.retry]``: what happens to a call that is throttled, times out or breaks."""

    attempts: int = Field(8, ge=1, le=100, description="calls at most, the first included")
    max_delay: Positive = Field(timedelta(seconds=20), description="the longest wait between two attempts")
    give_up_after: Positive = Field(timedelta(minutes=2), description="no attempt begins later than this")


class ExecuteSettings(Section):
    """Holds ``[execute]``: how decisions are carried out."""

    mode: Literal["observe", "enforce"] = Field("observe", description="observe decides and logs; enforce moves")
    workers: int = Field(8, ge=1, le=64, description="moves at the same time")
    keep_place: bool = Field(True, description="after a move into a queue, give the contact its place back")
    landing_timeout: Positive = Field(
        timedelta(minutes=2), description="how long a moved contact may take to be queued or answered"
    )
    agent_timeout: Positive = Field(
        timedelta(minutes=10), description="how long a contact may wait for an agent who takes none before it is logged"
    )
    retry: RetrySettings = RetrySettings()


class PollSettings(Section):
    """Holds ``[poll]``: how the instance is watched."""

    every: Positive = Field(timedelta(seconds=15), description="how often it looks")
    sweep: Positive = Field(timedelta(minutes=5), description="how often it looks at everything that waits")
    channels: Channels = Field(CHANNELS, description="the channels that are watched")
    lookback: Annotated[Positive, AfterValidator(_searchable)] = Field(
        timedelta(days=90), description="how long ago a waiting contact may have been queued"
    )


class RulesSettings(Section):
    """Holds ``[rules]``. ``path`` is relative to the working directory once it has been loaded."""

    path: FilePath = Field(Path("rules"), description="a folder of *.toml files, or one file")
    reload: Literal["signal", "watch"] = Field("signal", description="when the service reads its rules again")


class GuardSettings(Section):
    """Holds ``[guard]``: limits on moves, which a rule may tighten."""

    max_transfers: int = Field(3, ge=1, le=11, description="moves of one chain by the router")
    reserve_transfers: int = Field(2, ge=0, le=10, description="of Connect's 11 transfers, kept for people and flows")
    cooldown: Duration = Field(timedelta(minutes=5), description="between two moves of one chain by the router")
    per_cycle: Number = Field(50, description="moves in one cycle")
    per_hour: Number = Field(500, description="moves in any 3,600 seconds")
    unlanded: Number = Field(10, description="landing slots per flow at its start and after a stray")
    unlanded_max: Number = Field(50, description="landing slots that a flow can have after landings")


_LEDGER = f"^(sqlite:(?!//).|dynamodb:{_TABLE}$)"


class LedgerSettings(Section):
    """Holds ``[ledger]``: the place of the record of intents and their outcomes."""

    url: Annotated[str, AfterValidator(_ledger_url), Field(json_schema_extra={"pattern": _LEDGER})] = Field(
        "sqlite:ledger.db", description="sqlite:PATH, or dynamodb:TABLE for several routers"
    )
    keep: Positive = Field(timedelta(days=120), description="how long records are kept")

    @property
    def table(self) -> str | None:
        """Returns the DynamoDB table; ``None`` means a SQLite file."""
        return self.url.removeprefix("dynamodb:") if self.url.startswith("dynamodb:") else None

    @property
    def path(self) -> Path:
        """Returns the SQLite file. It must not be called if there is a ``table``."""
        assert self.table is None, "a table has no path"
        return Path(self.url.removeprefix("sqlite:"))


class JournalSettings(Section):
    """Holds ``[journal]``: the record of what the router saw and decided. ``path`` is usable from the working directory
    once it has been loaded."""

    path: Annotated[str, AfterValidator(_journal)] = Field("auto", description='a folder, "auto", or "" for none')
    keep: Positive = Field(timedelta(days=90), description="how long its files are kept")
    attributes: bool = Field(False, description="also the customers' values that the rules mention")
    ids: Literal["plain", "hashed"] = Field("plain", description="contact ids as they are, or their hashes")

    @property
    def folder(self) -> Path | None:
        """Returns the folder of the journal; ``None`` if none is written."""
        return Path(self.path) if self.path not in ("", "auto") else None


class LogSettings(Section):
    """Holds ``[log]``: what is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least level that is logged")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, json otherwise"
    )
    emf: bool = Field(False, description="metrics for CloudWatch in each cycle.finished")


class ControlSettings(Section):
    """Holds ``[control]``: the socket between commands and the service."""

    socket: Annotated[str, AfterValidator(_socket), Field(json_schema_extra={"minLength": 1})] = Field(
        "auto", description='a path, or "auto"'
    )
