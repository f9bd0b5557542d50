"""Checks ``run`` as a service: signals, the ledger's one process, reload, the first line of its log and the last."""

import json
import signal
import sqlite3
import time

import pytest


def test_sigterm_ends_it_in_order_within_10_seconds(bench, reading, ending):
    service = bench.start("run", "--enforce")
    reading(service, "service.ready")

    rest, seconds = ending(service)

    assert service.returncode == 0
    assert seconds < 10
    events = [line["event"] for line in rest]
    assert "service.stopping" in events
    assert events[-1] == "service.stopped"


def test_ctrl_c_ends_the_service_in_order_too(bench, reading, ending):
    service = bench.start("run")
    reading(service, "cycle.finished")

    rest, _ = ending(service, signal.SIGINT)

    assert service.returncode == 0
    assert rest[-1]["event"] == "service.stopped"


def test_it_moves_what_becomes_late_while_it_runs(bench, reading, ending):
    service = bench.start("run", "--enforce")
    reading(service, "service.ready")

    contact_id = bench.enqueue()
    moved = reading(service, "contact.transferred")
    landed = reading(service, "contact.landed")
    ending(service)

    assert moved["contact_id"] == landed["contact_id"] == contact_id
    assert (moved["from_queue"], moved["to_queue"], moved["rule"], moved["step"]) == (
        "Billing", "Billing Overflow", "late", 2,
    )  # fmt: skip
    assert len(bench.sandbox.world.transfers) == 1


def test_a_second_service_on_one_ledger_exits_78_with_one_line(bench, reading, ending):
    first = bench.start("run", "--enforce")
    reading(first, "service.ready")

    second = bench.run("run", "--enforce")
    ending(first)

    assert second.returncode == 78
    (told,) = second.stderr.splitlines()
    assert f"in use by process {first.pid}" in told
    assert [json.loads(line)["event"] for line in second.stdout.splitlines()] == ["service.starting"]


def test_commands_that_read_work_while_the_service_runs(bench, reading, ending):
    contact_id = bench.enqueue()
    service = bench.start("run", "--enforce")
    reading(service, "contact.landed")

    (record,) = (one for one in bench.json("history") if one["kind"] == "transfer")
    explained = bench.json("explain", contact_id)
    ending(service)

    assert (record["contact_id"], record["outcome"], record["landing"]) == (contact_id, "acted", "queued")
    assert explained["look"]["contact_id"] == record["new_contact_id"]
    assert explained["look"]["queue"] == "Billing Overflow"


def test_it_says_what_it_works_on_before_anything_else(bench):
    service = bench.start("run", "--enforce")
    assert service.stdout is not None

    first = json.loads(service.stdout.readline())

    assert (first["event"], first["instance"], first["mode"], first["config"]) == (
        "service.starting", bench.sandbox.instance_id, "enforce", "config.toml",
    )  # fmt: skip
    assert first["message"] == f"starting for instance {bench.sandbox.instance_id}, mode enforce"
    assert (first["service"], first["region"], first["pid"]) == ("connect-router", "us-east-1", service.pid)


def test_each_line_has_the_region_that_only_the_aws_profile_names(bench):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text().replace('region = "us-east-1"\n', ""))
    (bench.folder / "aws").write_text("[profile here]\nregion = eu-west-2\n")

    done = bench.run("run", "--once", AWS_CONFIG_FILE=str(bench.folder / "aws"), AWS_PROFILE="here")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    assert {line["region"] for line in lines} == {"eu-west-2"}


def test_with_a_console_log_it_says_so_on_standard_error_in_words(bench):
    done = bench.run("run", "--once", "--observe", "--set", "log.format=console")

    assert done.stderr.splitlines()[0] == f"instance {bench.sandbox.instance_id}, mode observe, config config.toml"


def test_sighup_has_it_read_its_rules_again_and_a_refusal_leaves_the_old_ones(bench, reading, ending):
    service = bench.start("run")
    loaded = reading(service, "service.ready")
    rules = bench.folder / "rules" / "10-late.toml"

    rules.write_text(rules.read_text().replace('name = "late"', 'name = "later"'))
    service.send_signal(signal.SIGHUP)
    again = reading(service, "rules.loaded")
    rules.write_text("[[rule]]\nname = 3\n")
    service.send_signal(signal.SIGHUP)
    rejected = reading(service, "rules.rejected")
    ending(service)

    assert again["revision"] != loaded["revision"]
    assert any(error.startswith("rules/10-late.toml:2:") for error in rejected["errors"])


def test_a_log_that_nobody_reads_any_more_does_not_stop_it(bench, reading):
    service = bench.start("run", "--enforce")
    reading(service, "service.ready")
    assert service.stdout is not None
    service.stdout.close()

    contact_id = bench.enqueue()
    deadline = time.monotonic() + 20
    while not bench.sandbox.world.transfers and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [one.contact_id for one in bench.sandbox.world.transfers] == [contact_id]
    service.send_signal(signal.SIGTERM)
    assert service.wait(10) == 0
    assert service.stderr is not None
    assert service.stderr.read() == ""
    service.stdout = None


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        (lambda path: path.write_bytes(b"x" * 4096), 78),
        (lambda path: path.mkdir(), 78),
        (lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 999").connection.close(), 78),
    ],
    ids=["not a ledger", "a folder", "of a newer version"],
)
def test_a_ledger_that_cannot_be_used_is_one_line(bench, damage, status):
    damage(bench.folder / "ledger.db")

    done = bench.run("run")

    assert done.returncode == status
    (line,) = done.stderr.splitlines()
    assert "ledger.db" in line


def test_a_folder_of_the_ledger_that_is_not_there_yet_is_worth_a_restart(bench):
    done = bench.run("run", "--set", "ledger.url=sqlite:not/mounted/ledger.db")

    assert done.returncode == 1
    assert "not/mounted: no such folder" in done.stderr


def test_warnings_of_the_rules_do_not_stop_it_errors_do(bench):
    rules = bench.folder / "rules" / "20-shadowed.toml"
    rules.write_text((bench.folder / "rules" / "10-late.toml").read_text().replace('"late"', '"shadowed"'))

    done = bench.run("run", "--once")

    assert done.returncode == 78
    assert done.stderr.startswith("rules/20-shadowed.toml:5:1: rule 'shadowed' can never govern")
    assert json.loads(bench.run("check", "--json").stdout)["problems"][0]["severity"] == "error"
