"""Learns from the running service, if there is one, in which mode it works and which contacts wait."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from router.cli.context import print_note
from router.cli.errors import CommandFailed
from router.cli.service_client import call_service, send_command, served_socket
from router.history.codec import decode
from router.rules.rule import Mode
from router.search.progress import WaitingReport
from router.settings import Settings

WITHIN = 5.0
"""Seconds that each reply may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """Holds what a command takes from the running service. ``mode`` is the mode of the options, else that of the
    service, else that of the configuration. ``why_search`` is why a service reported no waiting list."""

    mode: Mode
    origin: str = ""
    waiting: WaitingReport | None = None
    why_search: str = ""

    def note_search(self, *, searched: bool, quiet: bool) -> None:
        """Prints a note if the command spent the quota of a service that runs."""
        if searched and (self.waiting is not None or self.why_search) and not quiet:
            why = self.why_search or "the service does not search all queues and channels of these rules"
            print_note(f"the command searched by itself, and used the service's quota of SearchContacts: {why}")


def running_service(arguments: argparse.Namespace, settings: Settings) -> RunningService:
    """Returns what the service of this instance reports. Without one, the configuration counts."""
    configured, chosen = Mode(settings.execute.mode), arguments.mode is not None
    path = served_socket(settings)
    if path is None:
        return RunningService(mode=configured)
    try:
        status = call_service(path, "status", within=WITHIN)
        if status["instance"] != settings.connect.instance_id:
            return RunningService(mode=configured)
        reply = send_command(path, "waiting", within=WITHIN)
    except CommandFailed as failed:
        why = failed.lines[0].removeprefix("connect-router: ")
        if not arguments.quiet and not chosen:
            print_note(f"mode {configured} of the configuration, because the service did not reply: {why}")
        return RunningService(mode=configured, why_search=why)
    mode = configured if chosen or status["mode"] not in list(Mode) else Mode(status["mode"])
    origin = " (of the running service)" if mode is not configured else ""
    if not reply.ok:
        return RunningService(mode=mode, origin=origin, why_search=reply.errors[0])
    try:
        return RunningService(mode=mode, origin=origin, waiting=decode(WaitingReport, reply.result))
    except (ValueError, KeyError, TypeError, AttributeError):
        return RunningService(mode=mode, origin=origin, why_search="the service is of another version")
