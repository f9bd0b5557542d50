"""Checks ``status``, which shows the state of a running service to people and to programs."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


def sample():
    section = re.search(r"^## status$(.*?)(?=^## )", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    return json.loads(re.findall(r"^```json\n(.*?)^```$", section[1], flags=re.MULTILINE | re.DOTALL)[0])


def shape(value):
    """Returns the keys and types of a value, of a list those of its first element.

    Figures by reason may have any keys.
    """
    if isinstance(value, dict):
        return {key: shape(one) if key not in ("held", "late_reasons") else "figures" for key, one in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def agree(shown, told):
    """Returns whether two shapes agree.

    Null and an empty list agree with anything, because a sample shows one state of many.
    """
    if isinstance(shown, dict) and isinstance(told, dict):
        return set(shown) == set(told) and all(agree(shown[key], told[key]) for key in shown)
    if isinstance(shown, list) and isinstance(told, list):
        return agree(shown[0], told[0])
    empty = ("NoneType", "list")
    return shown == told or shown in empty or told in empty or {shown, told} == {"int", "float"}


def test_status_tells_what_waits_what_is_due_and_what_was_done(bench, reading, ending):
    bench.enqueue(waited=timedelta(minutes=29))
    late = bench.enqueue()
    service = bench.start("run")
    reading(service, "cycle.finished")

    status = bench.json("status")
    told = bench.run("status")
    ending(service)

    assert (status["state"], status["healthy"], status["mode"], status["pid"]) == (
        "running", True, "observe", service.pid,
    )  # fmt: skip
    assert status["cycle"]["waiting"] == 2
    assert {one["queue"]: (one["waiting"], one["due"]) for one in status["queues"]}["Billing"][0] == 2
    assert [one["rule"] for one in status["next_due"]] == ["late"]
    assert "SearchContacts" in [one["operation"] for one in status["quotas"]]
    assert status["rules"]["count"] == 1
    assert told.returncode == 0
    assert "Billing" in told.stdout
    assert late not in told.stderr
    assert agree(shape(sample()), shape(status))


def test_no_service_is_one_line_that_says_what_to_do(bench):
    done = bench.run("status")

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("connect-router: no service answers on control.sock; start one")


def test_a_service_that_finishes_no_cycle_for_four_polls_is_told_and_counts_as_failed(bench, reading, ending):
    bench.sandbox.world.faults.add("error_500", "SearchContacts", count=1000)
    service = bench.start("run")
    reading(service, "service.ready")
    for _ in range(2):
        reading(service, "cycle.finished")
    reading(service, "cycle.finished")

    for _ in range(20):
        done = bench.run("status")
        if done.returncode:
            break
        reading(service, "cycle.finished")
    ending(service)

    assert done.returncode == 1
    assert "no complete cycle for" in done.stderr
    assert "the search was incomplete" in done.stdout


def test_the_socket_is_gone_when_the_service_has_ended(bench, reading, ending):
    service = bench.start("run")
    reading(service, "service.ready")
    assert (bench.folder / "control.sock").is_socket()

    ending(service)

    assert not (bench.folder / "control.sock").exists()


def test_a_service_that_was_killed_leaves_a_socket_that_the_next_one_replaces(bench, reading, ending):
    first = bench.start("run")
    reading(first, "service.ready")
    first.kill()
    first.wait(10)
    assert bench.run("status").returncode == 1

    second = bench.start("run")
    reading(second, "cycle.finished")
    status = bench.json("status")
    ending(second)

    assert status["pid"] == second.pid


@pytest.mark.parametrize("socket", ["not/there/control.sock", "config.toml"])
def test_a_socket_that_cannot_be_made_is_one_warning_and_the_service_works(bench, reading, ending, socket):
    service = bench.start("run", "--set", f"control.socket={socket}")

    told = reading(service, "control.unusable")
    reading(service, "cycle.finished")
    ending(service)

    assert told["message"].startswith(f"no command can reach the service: {socket}: ")
    assert service.returncode == 0
    assert (bench.folder / "config.toml").is_file()
