"""Checks that routers write one history, with nothing in it twice, however they take over, lose responses and sleep."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from router.ledger import AlreadyIntended, LedgerUnavailable, NotOpen
from router.model import ActionState, ContactId, Landing, WaitKey
from tests.builders.effort import scaled
from tests.contract.shared_ledger.conftest import NOW, Shared

ROUTERS = st.integers(0, 2)
CONTACTS = st.sampled_from(["c-1", "c-2"])
STEPS = st.integers(1, 2)
pytestmark = pytest.mark.timeout(180)
ENDED = (ActionState.REFUSED, ActionState.NEVER_SENT)


def test_whatever_the_order_there_is_one_history_and_no_step_is_sent_twice(endpoint_of, act, held):
    with ExitStack() as stack:
        shared = Shared(endpoint_of("moto"), stack)
        run_state_machine_as_test(
            machine(shared, act, held),
            settings=settings(
                max_examples=scaled(9),
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
                phases=[Phase.generate],
            ),
        )


def machine(shared: Shared, act: Any, held: Any) -> type[RuleBasedStateMachine]:
    class Routers(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            shared.begin_anew()
            self.routers = [shared.router(name, tries=1) for name in "abc"]
            self.tokens = count()
            self.sent: dict[str, tuple[str, int]] = {}
            self.ended: dict[str, ActionState] = {}

        @initialize()
        def begin(self) -> None:
            self.routers[0].take_over()

        def teardown(self) -> None:
            self.lose_nothing()
            self.all_see_the_same()

        def lose_nothing(self) -> None:
            shared.proxy.lose_answers.clear()
            shared.proxy.lose_requests.clear()

        @rule(number=ROUTERS)
        def take_over(self, number: int) -> None:
            try:
                self.routers[number].take_over()
            except LedgerUnavailable:
                return
            assert self.routers[number].holding

        @rule(number=ROUTERS, contact=CONTACTS, step=STEPS)
        def intend(self, number: int, contact: str, step: int) -> None:
            """Intends and sends: the router that has the ledger's permission makes the call."""
            token = f"token-{next(self.tokens)}"
            wait = WaitKey(ContactId(contact), NOW)
            try:
                self.routers[number].intend(act(contact, wait=wait, step=step, at=timedelta(hours=step), token=token))
            except (AlreadyIntended, LedgerUnavailable):
                return
            self.sent[token] = (contact, step)

        @rule(sleeper=ROUTERS, other=ROUTERS, contact=CONTACTS, step=STEPS, shortens=st.integers(0, 2))
        def sleep_while_another_works(self, sleeper: int, other: int, contact: str, step: int, shortens: int) -> None:
            """Sleeps, and continues with an old copy on what the other has just begun."""
            self.take_over(sleeper)
            self.take_over(other)
            self.intend(other, contact, step)
            for _ in range(shortens):
                self.shorten(other)
                self.take_over(other)
            self.intend(sleeper, contact, step)

        @rule(number=ROUTERS, state=st.sampled_from([ActionState.ACTED, ActionState.ACTED, *ENDED]))
        def settle(self, number: int, state: ActionState) -> None:
            for intent in self.routers[number].open_intents()[:1]:
                landing = Landing.PENDING if state is ActionState.ACTED else None
                try:
                    self.routers[number].settle(replace(intent, state=state, landing=landing))
                except NotOpen:
                    return
                except LedgerUnavailable:
                    state = self.state_of(intent)
                    if state is ActionState.INTENDED:
                        return
                assert intent.token is not None
                self.ended[intent.token] = state

        def state_of(self, intent: Any) -> ActionState:
            """Returns the state by the log, which counts after a response that was lost."""
            with shared.router("e", tries=1) as reader:
                return {action.token: action.state for action in reader.history()}[intent.token]

        @rule(number=ROUTERS)
        def land(self, number: int) -> None:
            for move in self.routers[number].followed()[:1]:
                try:
                    self.routers[number].land(replace(move, landing=Landing.QUEUED))
                except (NotOpen, LedgerUnavailable):
                    return

        @rule(number=ROUTERS)
        def catch_up(self, number: int) -> None:
            try:
                self.routers[number].catch_up()
            except LedgerUnavailable:
                return

        @rule(number=ROUTERS)
        def start_again(self, number: int) -> None:
            self.lose_nothing()
            self.routers[number].close()
            self.routers[number] = shared.router("abc"[number], tries=1)

        @rule(days=st.integers(1, 3))
        def a_day_passes(self, days: int) -> None:
            """Lets a day pass. No write takes that long: AWS refuses requests signed more than 15 minutes ago."""
            shared.now += timedelta(days=days)
            for number in range(3):
                self.catch_up(number)

        @rule(number=ROUTERS)
        def shorten(self, number: int) -> None:
            if self.routers[number].holding:
                try:
                    self.routers[number].shorten()
                except LedgerUnavailable:
                    return

        @rule(answers=st.booleans())
        def lose(self, answers: bool) -> None:
            """Loses one request or response; the SDK tries once here."""
            lost = shared.proxy.lose_answers if answers else shared.proxy.lose_requests
            lost["PutItem"] = 1

        @invariant()
        def no_step_is_on_its_way_twice(self) -> None:
            going = Counter(step for token, step in self.sent.items() if self.ended.get(token) not in ENDED)
            assert not [step for step, times in going.items() if times > 1]

        def all_see_the_same(self) -> None:
            for router in self.routers:
                router.catch_up()
            first, second, third = (held(router) for router in self.routers)
            assert first == second == third == held(shared.router("d", tries=1))
            recorded = {action.token: action for action in self.routers[0].history()}
            assert set(self.sent) <= set(recorded), "what was sent is known"
            for token, state in self.ended.items():
                assert recorded[token].state is state
            chains = Counter(one.chain_id for one in recorded.values() if one.open)
            assert all(times == 1 for times in chains.values())

    return Routers
