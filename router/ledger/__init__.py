"""Records what was intended and what became of it."""

from router.ledger.errors import AlreadyIntended, LedgerBroken, LedgerError, LedgerInUse, LedgerUnavailable, NotOpen
from router.ledger.sqlite import SqliteLedger

__all__ = [
    "AlreadyIntended",
    "LedgerBroken",
    "LedgerError",
    "LedgerInUse",
    "LedgerUnavailable",
    "NotOpen",
    "SqliteLedger",
]
