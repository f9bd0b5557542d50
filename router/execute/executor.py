"""Puts together all that carries decisions out, in front of one face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from router.connect.connection import Connection
from router.execute.attempts import Attempts, RetryPolicy
from router.execute.claims import InProgress
from router.execute.observation import ObservePerformer
from router.execute.recovery import Recovery
from router.execute.round import Round
from router.execute.routing import RoutingPerformer
from router.execute.routing_update import AgeMeaning
from router.execute.settler import Moved, Settler
from router.execute.transfer import TransferPerformer
from router.lookup.details import DetailsCache
from router.model import HoursId
from router.resources import Stores
from router.runtime import Runtime
from router.safety.safety import Safety
from router.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Executor:
    """Holds a ``round`` for the decisions of a cycle, and the ``recovery`` of what earlier ones left open.

    Both, and the follow-ups, settle with ``settler``.
    """

    round: Round
    recovery: Recovery
    attempts: Attempts
    settler: Settler
    in_progress: InProgress

    @classmethod
    def open(
        cls,
        settings: Settings,
        runtime: Runtime,
        connection: Connection,
        stores: Stores,
        safety: Safety,
        *,
        details: DetailsCache,
        is_open: Callable[[HoursId], bool],
        moved: Moved,
    ) -> Executor:
        """Opens it. ``is_open`` returns whether hours of operation are open now; ``moved`` gets each move that took
        effect."""
        ledger, clock, in_progress = stores.ledger, runtime.clock, InProgress()
        settler = Settler(ledger=ledger, safety=safety, ages=AgeMeaning(), clock=clock, moved=moved)
        attempts = Attempts(
            reader=connection.reader,
            mover=connection.mover,
            pacer=connection.quotas,
            ledger=ledger,
            runtime=runtime,
            details=details,
            in_progress=in_progress,
            safety=safety,
            policy=RetryPolicy.of(settings),
        )
        routing = RoutingPerformer(
            ledger=ledger, attempts=attempts, settler=settler, clock=clock, in_progress=in_progress
        )
        enforcer = TransferPerformer(
            ledger=ledger,
            attempts=attempts,
            safety=safety,
            settler=settler,
            clock=clock,
            in_progress=in_progress,
            routing=routing,
            instance_id=settings.connect.instance_id,
            notifies=bool(settings.notify.sns_topic),
        )
        observer = ObservePerformer(
            reader=connection.reader, observed=stores.observed, clock=clock, details=details, safety=safety
        )
        quotas = connection.quotas
        return cls(
            round=Round(
                enforcer=enforcer,
                observer=observer,
                safety=safety,
                pacer=quotas,
                runtime=runtime,
                reader=connection.background,
            ),
            recovery=Recovery(
                reader=connection.reader,
                ledger=ledger,
                attempts=attempts,
                safety=safety,
                settler=settler,
                in_progress=in_progress,
                runtime=runtime,
                is_open=is_open,
            ),
            attempts=attempts,
            settler=settler,
            in_progress=in_progress,
        )

    def reconfigure(self, settings: Settings) -> None:
        """Puts another retry policy in force; an attempt under way continues with its own."""
        self.attempts.reconfigure(settings)
