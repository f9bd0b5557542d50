"""What the sandbox saw of the two promises that matter most: it knows the truth, the router only what it read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from router.sandbox import MadeTransfer, Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``taken`` counts contacts that an agent lost although they had accepted before the router's last reading;
    ``within_window`` those accepted between that reading and the call, which Connect gives no means to prevent."""

    moves: int
    twice: int
    taken: int
    within_window: int

    @property
    def kept(self) -> bool:
        return not (self.twice or self.taken)


def judge(sandbox: Sandbox) -> Verdict:
    transfers = sandbox.world.transfers
    times = Counter((one.contact_id, one.from_queue) for one in transfers)
    lost = sandbox.world.taken_from_agents
    taken = sum(_accepted_before_reading(one, sandbox) for one in lost)
    return Verdict(
        moves=len(transfers),
        twice=sum(number - 1 for number in times.values()),
        taken=taken,
        within_window=len(lost) - taken,
    )


def _accepted_before_reading(transfer: MadeTransfer, sandbox: Sandbox) -> bool:
    accepted_at = sandbox.world.contact(transfer.contact_id).connected_at
    read_at = _last_reading(transfer, sandbox)
    return accepted_at is None or read_at is None or accepted_at <= read_at


def _last_reading(transfer: MadeTransfer, sandbox: Sandbox) -> datetime | None:
    readings = [
        call.at
        for call in sandbox.calls
        if call.operation == "DescribeContact"
        and call.params.get("ContactId") == transfer.contact_id
        and call.at <= transfer.at
    ]
    return max(readings, default=None)
