"""Marks the instance as taken by one run: hours of operation with a fixed name, which only one run can make.

The marker's description names the holder and an end, which the holder moves every minute. A marker whose end has
passed, or whose holder ran on this machine and is gone, belongs to a killed run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from router.acceptance.lab import MARKER, TAG, Lab, refusal
from router.acceptance.safeguards import SuiteRefused
from router.acceptance.setup import ALWAYS, rows
from router.connect.plain_calls import PlainAnswer
from router.resources import router_name

LIFE = timedelta(minutes=10)
"""How long a marker outlives its holder."""
RENEWED_EVERY = 60.0
"""Seconds."""
ATTEMPTS = 4
LISTED_AFTER = 2.0
"""Seconds after which a marker that another run has just made is looked for again."""
GONE = "ResourceNotFoundException"
WORDS = {"QueueId": "queue", "ContactFlowId": "flow"}
LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TEXT = re.compile(r"Run (?P<run>\S+) of (?P<name>\S+) since (?P<since>\S+) until (?P<until>\S+) on (?P<machine>\S+)")

Report = Callable[[str], object]


class SuiteStopped(Exception):
    """The run cannot go on, because something took its resources away. The text states what."""


def this_machine() -> str:
    """Returns what identifies this machine since its start, and its process ids; "-" if the system does not show it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        processes = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return "-"
    return sha256(f"{boot} {processes}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Names the run that has the marker, its process, and when the marker ends."""

    run_id: str
    name: str = "?"
    since: datetime = LONG_AGO
    until: datetime = LONG_AGO
    machine: str = "-"

    @classmethod
    def read(cls, hours: Mapping[str, Any]) -> Holder:
        """Returns the holder of the marker. One whose description cannot be read has ended."""
        run_id, text = str((hours.get("Tags") or {})[TAG]), _TEXT.fullmatch(str(hours.get("Description") or ""))
        try:
            since, until = (datetime.fromisoformat(text[name]) for name in ("since", "until")) if text else (None, None)
        except ValueError:
            since = until = None
        if text is None or since is None or until is None or since.tzinfo is None or until.tzinfo is None:
            return cls(run_id=run_id)
        return cls(run_id=run_id, name=text["name"], since=since, until=until, machine=text["machine"])

    def text(self) -> str:
        since, until = _shown(self.since), _shown(self.until)
        return f"Run {self.run_id} of {self.name} since {since} until {until} on {self.machine}"

    def dead_at(self, now: datetime) -> str | None:
        """Returns why the run surely works no longer, ``None`` if it may."""
        if self.until < now:
            return "its marker has ended"
        number = self.name.rpartition(":")[2]
        if self.machine == "-" or self.machine != this_machine() or not number.isdecimal():
            return None
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return "its process on this machine is gone"
        except (OSError, OverflowError):
            return None
        return None


def _shown(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Marker:
    """Holds the marker of this run. It makes the calls of the probes, and looks at the marker in between."""

    def __init__(self, lab: Lab, hours_id: str, holder: Holder) -> None:
        self._lab, self._calls, self._pass_time = lab, lab.calls, lab.sleep
        self._hours_id, self._holder = hours_id, holder
        self._due = lab.clock.monotonic() + RENEWED_EVERY
        self.kept = True

    def call(self, operation: str, **parameters: Any) -> PlainAnswer:
        self.keep()
        return self._calls.call(operation, **parameters)

    def call_at_once(self, operation: str, **parameters: Any) -> PlainAnswer:
        return self._calls.call_at_once(operation, **parameters)

    def sleep(self, seconds: float) -> None:
        """Passes time, and renews the marker in between."""
        end = self._lab.clock.monotonic() + seconds
        while True:
            self.keep()
            left = end - self._lab.clock.monotonic()
            if left <= 0:
                return
            self._pass_time(min(left, RENEWED_EVERY / 2))

    def keep(self) -> None:
        """Checks and renews the marker if that is due. Raises ``SuiteStopped``."""
        if self._lab.clock.monotonic() >= self._due:
            self.check()

    def check(self) -> None:
        """Renews the marker. Raises ``SuiteStopped`` if it or a queue or flow of this run is gone."""
        self._due = self._lab.clock.monotonic() + RENEWED_EVERY
        for problem in (self._renew(), self._missing()):
            if problem is not None:
                raise SuiteStopped(f"{problem}: the run was stopped, and no profile was written")

    def _renew(self) -> str | None:
        now = self._lab.now()
        answer = self._calls.call("DescribeHoursOfOperation", HoursOfOperationId=self._hours_id)
        holder = Holder.read(answer.body["HoursOfOperation"]) if answer.ok else self._holder
        self.kept = answer.code != GONE and holder.run_id == self._holder.run_id
        if not self.kept:
            who = "somebody" if answer.code == GONE else f"the run {holder.run_id} of {holder.name}"
            return f"{who} took away the marker {MARKER} of this run"
        renewed = replace(self._holder, until=now + LIFE)
        answer = self._calls.call(
            "UpdateHoursOfOperation", HoursOfOperationId=self._hours_id, Description=renewed.text()
        )
        if answer.ok:
            self._holder = renewed
        elif now > self._holder.until:
            return f"the marker {MARKER} of this run has ended: {refusal(answer)}"
        return None

    def _missing(self) -> str | None:
        """Returns which queue or flow of this run is gone, if one is."""
        for operation, parameters in self._lab.resources.described_by:
            if self._calls.call(operation, **parameters).code == GONE:
                [(member, reference)] = parameters.items()
                return f"somebody deleted the {WORDS[member]} {reference} of this run"
        return None

    def release(self) -> Iterator[str]:
        """Deletes the marker if it is still this run's. Yields a line if that fails."""
        if self.kept:
            answer = self._calls.call("DeleteHoursOfOperation", HoursOfOperationId=self._hours_id)
            if not answer.ok and answer.code != GONE:
                word = "hours of operation"
                yield f"{word} {MARKER} was not deleted: {refusal(answer)}"


def take(lab: Lab, report: Report) -> Marker:
    """Makes the marker. Raises ``SuiteRefused`` if another run has it, ``Unsettled`` if a list fails."""
    for _ in range(ATTEMPTS):
        now = lab.now()
        holder = Holder(run_id=lab.run_id, name=router_name(), since=now, until=now + LIFE, machine=this_machine())
        made = lab.call(
            "CreateHoursOfOperation",
            Name=MARKER,
            Description=holder.text(),
            TimeZone="UTC",
            Config=ALWAYS,
            Tags=lab.tags,
        )
        if made.ok:
            return Marker(lab, made.body["HoursOfOperationId"], holder)
        if made.code != "DuplicateResourceException" and not made.uncertain:
            raise SuiteRefused(refusal(made))
        found = _existing(lab)
        if found is None:
            lab.sleep(LISTED_AFTER)
            continue
        hours_id, other = found
        if other.run_id == lab.run_id:  # made by a call whose answer was lost
            return Marker(lab, hours_id, holder)
        why = other.dead_at(now)
        if why is None:
            since, until = _shown(other.since), _shown(other.until)
            raise SuiteRefused(
                f"the run {other.run_id} of {other.name} works in this instance since {since}: wait until it ends."
                f" If it was killed, start this command after {until}"
            )
        report(f"overriding the marker of the run {other.run_id} of {other.name}, because {why}")
        lab.call("DeleteHoursOfOperation", HoursOfOperationId=hours_id)
    raise SuiteRefused(f"the marker {MARKER} could be neither made nor read: try again in a minute")


def _existing(lab: Lab) -> tuple[str, Holder] | None:
    """Returns the marker that is there, by id. Raises ``SuiteRefused`` for hours that are none, and ``Unsettled``."""
    for row in rows(lab, "ListHoursOfOperations", "HoursOfOperationSummaryList"):
        if row.get("Name") != MARKER:
            continue
        answer = lab.call("DescribeHoursOfOperation", HoursOfOperationId=row["Id"])
        if answer.code == GONE:
            return None
        if not answer.ok:
            raise SuiteRefused(refusal(answer))
        hours = answer.body["HoursOfOperation"]
        if TAG not in (hours.get("Tags") or {}):
            raise SuiteRefused(f"the hours of operation {MARKER} have no tag {TAG}: rename or delete them")
        return str(row["Id"]), Holder.read(hours)
    return None
