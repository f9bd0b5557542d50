"""Checks that a ledger of another user is reported with its owner."""

import os

import pytest

from router.ledger.connection import WriterLock
from router.ledger.errors import LedgerUnavailable


def test_a_lock_of_another_user_is_reported_with_its_owner(tmp_path, monkeypatch):
    lock = tmp_path / "ledger.db.lock"
    lock.touch()
    me = os.geteuid() + 4711

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    monkeypatch.setattr(os, "geteuid", lambda: me)

    with pytest.raises(LedgerUnavailable) as caught:
        WriterLock(tmp_path / "ledger.db")

    assert str(caught.value) == (
        f"{lock}: Permission denied; it belongs to user {lock.stat().st_uid}, and this process is user {me}:"
        " move it away, or change its owner"
    )
