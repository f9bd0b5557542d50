"""Checks that the parts which carry decisions out work on one state, and that a reload reaches them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from router.connect.answers import Throttled, Transferred
from router.execute.executor import Executor
from router.execute.result import Outcome
from router.ledger import SqliteLedger
from router.model import ContactId
from router.settings import load_settings
from tests.builders.rules import overflow

MOVED = Transferred(contact_id=ContactId("c2"))


@pytest.fixture
def settings(tmp_path):
    def load(**overrides):
        config = tmp_path / "config.toml"
        config.write_text(
            '[connect]\ninstance = "11111111-2222-3333-4444-555555555555"\nregion = "us-east-1"\n', encoding="utf-8"
        )
        return load_settings(config, environ={}, overrides=overrides)

    return load


@pytest.fixture
def executor(bench, settings):
    observed = SqliteLedger.in_memory("instance-1")
    yield Executor.open(
        settings(**{"execute.retry.attempts": 2}),
        bench.runtime,
        cast(
            Any,
            SimpleNamespace(reader=bench.connect, background=bench.connect, mover=bench.connect, quotas=bench.pacer),
        ),
        cast(Any, SimpleNamespace(ledger=bench.ledger, observed=observed)),
        bench.safety,
        details=bench.details,
        is_open=lambda hours_id: True,
        moved=lambda action, read_age: bench.moves.append(action),
    )
    observed.close()


def test_a_round_moves_a_contact_which_is_in_progress_meanwhile_and_followed_afterwards(bench, executor):
    decided = bench.decided(bench.waiting(), text=overflow())
    seen = []

    def transfer(**asked):
        seen.append(executor.in_progress.contacts)
        return MOVED

    bench.connect.transfer = transfer
    [result] = executor.round.perform(decided.decisions, decided.context, wait_for_slots=False)

    assert result.outcome is Outcome.DONE
    assert seen == [{"c1"}]
    assert executor.in_progress.contacts == frozenset()
    assert bench.moves == [result.action]


def test_recovery_leaves_a_contact_alone_that_a_round_is_moving(bench, executor):
    decided = bench.decided(bench.waiting(), text=overflow())
    settled = []

    def transfer(**asked):
        settled.append(executor.recovery.settle_open(decided.context, decided.decisions[0].mode))
        return MOVED

    bench.connect.transfer = transfer
    executor.round.perform(decided.decisions, decided.context, wait_for_slots=False)
    assert settled == [0]


def test_another_retry_policy_counts_from_the_next_move(bench, executor, settings):
    decided = bench.decided(bench.waiting(), text=overflow())
    counts = []
    for attempts in (2, 5):
        executor.reconfigure(settings(**{"execute.retry.attempts": attempts}))
        bench.connect.transfers.clear()
        bench.connect.transfer_answers = [Throttled(code="TooManyRequestsException")] * 9
        executor.round.perform(decided.decisions, decided.context, wait_for_slots=False)
        counts.append(len(bench.connect.transfers))

    assert counts == [2, 5]
