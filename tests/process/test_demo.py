"""Runs ``demo``, the product in one command."""

import re
import signal
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_the_demo_moves_contacts_sums_up_and_leaves_nothing_behind(bench):
    before = sorted(bench.folder.rglob("*"))

    done = bench.run_process(
        "demo", "--config", str(CHECKOUT / "config.toml"), "--seconds", "12",
        AWS_ENDPOINT_URL_CONNECT="http://127.0.0.1:1", AWS_PROFILE="of-somebody", CONNECT_ROUTER_POLL__EVERY="1h",
    )  # fmt: skip

    announced = f"instance 11111111-2222-3333-4444-555555555555, mode enforce, config {CHECKOUT / 'config.toml'}\n"
    assert (done.returncode, done.stderr) == (0, announced)
    assert f"config {CHECKOUT / 'config.toml'}, 9 rules" in done.stdout
    moved = "EMAIL [0-9a-f]{8}: Billing -> Billing Overflow, [0-9a-z]+ late, rule billing-overflow step 2\n"
    assert re.search(moved, done.stdout)
    assert "late" in done.stdout
    assert "held in Billing: excluded" in done.stdout
    assert "the sandbox counted: moved twice = 0, taken from agents = 0: as promised" in done.stdout
    assert re.search("throttled +0", done.stdout)
    assert not re.search("\nmoved +0", done.stdout)
    assert bench.sandbox.calls == (), "the demo has a sandbox of its own"
    assert sorted(bench.folder.rglob("*")) == before


def test_the_demo_does_not_write_into_the_journal_of_the_configuration(bench):
    config = bench.folder / "journaled.toml"
    text = (CHECKOUT / "config.toml").read_text()
    config.write_text(text.replace("[journal]", '[journal]\npath = "journal"', 1))

    done = bench.run_process(
        "demo", "--config", "journaled.toml", "--set", f"rules.path={CHECKOUT / 'rules'}", "--seconds", "4"
    )

    assert (done.returncode, (bench.folder / "journal").exists()) == (0, False), done.stderr


def test_without_a_configuration_here_it_runs_on_the_one_that_comes_with_it(bench):
    empty = bench.folder / "empty"
    empty.mkdir()
    bench.folder = empty

    done = bench.run_process("demo", "--seconds", "5")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "config.toml, 9 rules, instance 11111111-2222-3333-4444-555555555555" in done.stdout


def test_ctrl_c_ends_it_early_with_the_summary(bench):
    demo = bench.start("demo", "--config", str(CHECKOUT / "config.toml"), "--seconds", "600")
    assert demo.stdout is not None
    for line in demo.stdout:
        if "cycle 1:" in line:
            break

    demo.send_signal(signal.SIGINT)
    rest, told = demo.communicate(timeout=100)

    assert demo.returncode == 0
    assert len(told.splitlines()) == 1, "the announcement, and nothing else"
    assert "the sandbox counted: moved twice = 0" in rest


def test_sandbox_and_router_have_the_clock_of_the_scenario(bench):
    scenario = bench.folder / "fast.toml"
    queues = "".join(f'[[queue]]\nname = "{name}"\n' for name in ("Billing", "Billing Overflow"))
    agent = '[[agent]]\nusername = "a"\nqueues = ["Billing Overflow"]\n'
    backlog = '[[backlog]]\nqueue = "Billing"\nwaited = "20m"\n'
    scenario.write_text(f"start = 2026-12-24T16:50:00+01:00\nspeed = 60\n{queues}{agent}{backlog}")

    done = bench.run_process(
        "demo", "--config", str(CHECKOUT / "config.toml"), "--seconds", "14", "--scenario", str(scenario)
    )

    assert done.returncode == 0, done.stdout + done.stderr
    # It is due four minutes after the start, which are four seconds of the machine.
    assert "Billing -> Billing Overflow" in done.stdout
    assert "clock.skew" not in done.stdout


def test_a_service_that_never_gets_to_look_is_no_success(bench):
    scenario = bench.folder / "deaf.toml"
    scenario.write_text(
        """
        [[queue]]
        name = "Billing"
        [[backlog]]
        queue = "Billing"
        count = 3
        waited = ["2h", "3h"]
        [[fault]]
        kind = "access_denied"
        operation = "ListQueues"
        """
    )

    done = bench.run_process("demo", "--seconds", "2", "--scenario", str(scenario))

    assert done.returncode == 1
    assert "the service finished no cycle" in done.stdout
    assert "in time" not in done.stdout, "no cycle, and therefore no figures"


def test_rules_that_do_not_load_are_told_as_everywhere(bench):
    (bench.folder / "rules" / "10-late.toml").write_text("[[rule]]\nname = 3\n")

    done = bench.run_process("demo", "--seconds", "1")

    assert done.returncode == 2
    assert "\nrules/10-late.toml:2:8: expected text, got 3\n" in done.stderr
