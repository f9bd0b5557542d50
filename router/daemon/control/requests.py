"""Dispatches requests: which exist, who may make them, and what replies to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from router import events
from router.daemon.control.protocol import Peer, Reply, Request
from router.problems import did_you_mean, printable

Arguments = Mapping[str, Any]


class RequestRefused(Exception):
    """Reports in ``lines`` why a request changes nothing."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Holds one request that may be made. ``answer`` raises ``RequestRefused``. ``changes`` marks a request that only
    permitted users may make."""

    answer: Callable[[Arguments, Peer], Mapping[str, Any]]
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Holds the requests by command."""

    services: Mapping[str, Service]

    def handle(self, request: Request, peer: Peer) -> Reply:
        """Replies to a request and never raises: a bug in a reply is logged, and reported to the peer."""
        service = self.services.get(request.command)
        if service is None:
            name = printable(request.command[:60])
            return Reply(errors=(f"the service does not know '{name}'{did_you_mean(name, self.services)}",))
        if service.changes and not peer.may_change:
            may = "only root and the service's own user may"
            return Reply(errors=(f"{request.command}: {peer.name} may not change anything: {may}",))
        try:
            return Reply(result=service.answer(request.arguments, peer))
        except RequestRefused as refusal:
            return Reply(errors=refusal.lines)
        except Exception as error:
            events.log_control_failed(request.command)
            return Reply(errors=(f"{request.command}: a bug: {type(error).__name__}; the service's log has more",))
