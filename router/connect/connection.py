"""Puts everything of one instance together over one client."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from router.connect.api import Api
from router.connect.client import DESCRIBE_TIMEOUT_S, READ_TIMEOUT_S, Skew, make_clients
from router.connect.contacts import ConnectReader
from router.connect.credentials import RenewableCredentials
from router.connect.instance import ConnectInstance
from router.connect.missing_ids import MissingIds
from router.connect.plain_calls import PlainCalls
from router.connect.quotas import Quotas, Rate, Wait, wait_on
from router.connect.reads import DESCRIBING, LISTING, Patience, Reads
from router.connect.search import Search
from router.connect.transfer import ConnectMover
from router.model import Channel, Home, QueueId
from router.sdk_errors import plain_url

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Holds the client and the parts that use it. Thread-safe. ``endpoint`` is the URL that the SDK resolved."""

    endpoint: str
    home: Home
    reader: ConnectReader
    background: ConnectReader
    """The same, for readings that can wait for those right before a move."""
    mover: ConnectMover
    instance: ConnectInstance
    quotas: Quotas
    credentials: RenewableCredentials = field(repr=False)
    _api: Api = field(repr=False)
    _skew: Skew = field(repr=False)
    _clients: tuple[ConnectClient, ...] = field(repr=False)

    @classmethod
    def open(
        cls,
        *,
        instance_id: str,
        region: str | None,
        account: str | None = None,
        channels: Collection[Channel],
        workers: int,
        rates: Mapping[str, Rate],
        share: float,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        patience: Patience = DESCRIBING,
        searching: Patience = LISTING,
        wait: Wait = wait_on,
        pause: Callable[[float], object] | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> Connection:
        """Opens the connection without a call. ``rates`` replace the documented quotas of their operations.

        ``share`` is the part of each that this process may use; ``account`` is the instance's, if it is known. Raises
        ``Unreachable`` if the SDK has no region, credentials or usable configuration.
        """
        credentials = RenewableCredentials()
        timeouts = read_timeout_s, min(read_timeout_s, DESCRIBE_TIMEOUT_S)
        client, describing = make_clients(region=region, workers=workers, timeouts=timeouts, credentials=credentials)
        skew = Skew(now)
        for one in (client, describing):
            skew.watch(one)
        quotas = Quotas(rates, share=share, monotonic=monotonic, wait=wait, pause=pause)
        api = Api(
            client,
            describing=describing,
            instance_id=instance_id,
            quotas=quotas,
            monotonic=monotonic,
            credentials=credentials,
        )
        reads = Reads(api, quotas=quotas, monotonic=monotonic)
        missing: MissingIds[QueueId] = MissingIds("queue", monotonic)
        home = Home(instance_id, client.meta.region_name, account)
        search = Search(reads, channels=channels, missing=missing, patience=searching)
        return cls(
            home=home,
            endpoint=plain_url(client.meta.endpoint_url),
            reader=ConnectReader(reads, search, patience=patience),
            background=ConnectReader(reads, search, patience=replace(patience, urgent=False)),
            mover=ConnectMover(api),
            instance=ConnectInstance(reads, missing, home),
            quotas=quotas,
            _api=api,
            _skew=skew,
            credentials=credentials,
            _clients=(client, describing),
        )

    def plain_calls(self, now: Callable[[], datetime]) -> PlainCalls:
        """Returns the means to make any call and to see its answer, for the acceptance suite."""
        return PlainCalls(self._api, self.quotas, now)

    def skew(self) -> timedelta | None:
        """Returns local time less Connect's; ``None`` before the first answer."""
        return self._skew.current

    def calls(self) -> Mapping[str, int]:
        """Returns the HTTP calls by operation since the connection was opened."""
        return self.quotas.calls()

    def stop(self) -> None:
        """Ends every wait for a token or between attempts; reads return ``NOT_SENT`` from then on."""
        self.quotas.stop()

    def close(self) -> None:
        """Gives the connections back; nothing may be called any more."""
        self.stop()
        for client in self._clients:
            client.close()
