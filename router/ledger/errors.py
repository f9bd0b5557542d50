"""Defines the errors of a ledger, one exception for each thing that a caller does differently."""

from __future__ import annotations


class LedgerError(Exception):
    """Is the base of the errors of this package; its text is one line for people."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot do it now (disk full, read-only, locked, I/O error), and nothing has changed."""


class LedgerBroken(LedgerUnavailable):
    """The ledger cannot do it until somebody fixes it: corrupt, not a ledger, or written by a newer version."""


class LedgerInUse(LedgerError):
    """Another process has this ledger open for writing."""


class AlreadyIntended(LedgerError):
    """The chain has an open move, the contact an update under way, or the same step of the same wait has acted
    already."""


class NotOpen(LedgerError):
    """There is no such open intent, or for a landing no such transfer that has acted."""
