"""What was intended and what came of it."""

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
