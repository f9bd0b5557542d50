"""What may be asked of the running service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.service.app import App
from router.service.control.desk import Arguments, Desk, Refusal, Service
from router.service.control.operator import Operator
from router.service.control.peer import Peer
from router.service.reload import Reloader
from router.service.status import status_of


def desk_of(app: App, reloader: Reloader) -> Desk:
    operator = Operator(app)
    return Desk(
        {
            "status": Service(answer=lambda _arguments, _peer: status_of(app)),
            "reload": Service(answer=_Reload(app, reloader).answer, changes=True),
            "pause": Service(answer=operator.pause, changes=True),
            "resume": Service(answer=operator.resume, changes=True),
            "retry": Service(answer=operator.retry, changes=True),
        }
    )


@dataclass(frozen=True, slots=True)
class _Reload:
    app: App
    reloader: Reloader

    def answer(self, _arguments: Arguments, _peer: Peer) -> Mapping[str, Any]:
        if self.app.vital.now.ready_at is None:
            raise Refusal("reload: the service is still starting, for the instance has not answered; see its log")
        before = self.app.names.ruleset.revision
        problems = self.reloader.reload()
        if problems:
            raise Refusal(*(str(problem) for problem in problems))
        now = self.app.names.ruleset
        return {"count": len(now.rules), "revision": now.revision, "before": before}
