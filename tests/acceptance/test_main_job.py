"""Runs the proof of the main job: the product itself, on five late tasks of the suite."""

import time
from datetime import timedelta

import pytest

from router.acceptance.main_job import prove_main_job
from router.sandbox import Behaviours, FlowOutcome
from router.sandbox.quotas import CallQuotas
from router.settings import load_settings
from router.settings.quotas import DOCUMENTED_QUOTAS
from tests.acceptance.bench import LeapClock, open_bench


class HastyClock(LeapClock):
    """Passes with the machine's time too, because the product's threads wait on it."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def now(self):
        return super().now() + timedelta(seconds=time.monotonic() - self._began)

    def monotonic(self):
        return super().monotonic() + time.monotonic() - self._began


@pytest.fixture
def prove(tmp_path, monkeypatch):
    """Returns a function that runs the proof alone, in a sandbox, and returns its steps by name."""

    def proven(behaviours=None, *, disturb=lambda world: None):
        monkeypatch.setattr("router.acceptance.suite.probes", list)
        with open_bench(behaviours, length="quick") as bench:
            bench.clock = HastyClock()
            bench.sandbox.quotas = CallQuotas(limited=False)
            bench.sandbox._clock = bench.sandbox.world._clock = bench.clock.now
            config = tmp_path / "config.toml"
            config.write_text(f'[connect]\ninstance = "{bench.sandbox.instance_id}"\nregion = "us-east-1"\n')
            brisk = {f"quotas.{name}": {"rate": 1000, "burst": 1000} for name in DOCUMENTED_QUOTAS}

            def settings_with(overrides):
                return load_settings(config, environ={}, overrides={**brisk, **overrides})

            def proof(lab):
                disturb(bench.sandbox.world)
                return prove_main_job(lab, settings_with, connect=bench.connect)

            run = bench.perform(prove=proof)
            assert bench.remains() == run.left == []
            return {step.name: step.problem for step in run.main_job}, run

    return proven


@pytest.mark.parametrize("answer_id", ["new", "old"])
def test_five_late_tasks_are_moved_once_land_and_are_as_history_and_explain_show(prove, answer_id):
    steps, run = prove(Behaviours(answer_id=answer_id, not_exists="ignored"))
    assert list(steps.values()) == [None] * 6
    assert run.passed


def test_the_proof_holds_if_a_transfer_makes_no_new_segment(prove):
    steps, _ = prove(Behaviours(transfer="same_contact"))
    assert set(steps.values()) == {None}


def test_a_flow_that_puts_contacts_elsewhere_fails_the_proof(prove):
    def divert(world):
        flow = next(each for each in world.state.register.flows.values() if each.name.endswith("-transfer"))
        world.set_flow(flow.name, outcome=FlowOutcome(queue="Billing"), content=None)

    steps, run = prove(disturb=divert)
    assert steps["each task has landed"] == "0 of 5 landed in their queue"
    assert not run.passed
