"""What may be asked of the running service."""

from __future__ import annotations

from router.service.app import App
from router.service.control.desk import Desk, Service
from router.service.status import status_of


def desk_of(app: App) -> Desk:
    return Desk({"status": Service(answer=lambda _arguments, _peer: status_of(app))})
