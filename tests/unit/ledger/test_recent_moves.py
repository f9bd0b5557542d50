"""Checks that recent moves are returned as the ledger has them, even if they have changed since the last query."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger.sqlite import SqliteLedger
from router.model import ActionKind, ActionState, ContactId, Landing
from tests.builders.contacts import NOW, act, contact
from tests.builders.effort import scaled


def fresh(ledger, path, since):
    """Returns the moves as a reader without earlier queries sees them."""
    with SqliteLedger.read(path, instance_id="i") as other:
        return other.moves_since(since)


@pytest.mark.parametrize("seed", range(scaled(20)))
def test_after_any_writes_the_moves_of_late_are_those_of_the_file(tmp_path, seed):
    chance, path = random.Random(seed), tmp_path / "ledger.db"
    with SqliteLedger.open(path, instance_id="i", now=NOW, keep=timedelta(days=120)) as ledger:
        open_ones, acted, now = [], [], NOW
        for number in range(60):
            now += timedelta(seconds=chance.randrange(300))
            what = chance.random()
            if what < 0.5:
                new = act(contact(f"c{number}"), decided_at=now, state=ActionState.INTENDED, settled_at=None)
                open_ones.append(ledger.intend(replace(new, wait=replace(new.wait, wait_id=new.contact_id))))
            elif what < 0.8 and open_ones:
                one = open_ones.pop(chance.randrange(len(open_ones)))
                state = chance.choice([ActionState.ACTED, ActionState.NEVER_SENT, ActionState.REFUSED])
                landing = Landing.PENDING if state is ActionState.ACTED else None
                settled = replace(one, state=state, settled_at=now, landing=landing)
                ledger.settle(settled)
                if state is ActionState.ACTED:
                    acted.append(settled)
            elif acted:
                one = acted.pop(chance.randrange(len(acted)))
                ledger.land(replace(one, landing=Landing.QUEUED, landed_at=now, new_contact_id=ContactId(f"n{number}")))
            if chance.random() < 0.5:
                since = now - timedelta(seconds=chance.choice([3600, 1200]))
                assert ledger.moves_since(since) == fresh(ledger, path, since)
        assert all(move.kind is ActionKind.TRANSFER for move in ledger.moves_since(NOW))
