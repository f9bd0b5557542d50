"""Checks a reload by command, by signal and by watching. All files are loaded or none; errors are reported."""

import os
import shutil
import signal
import socket

import pytest

from tests.e2e.bench import RULES

RENAMED = RULES.replace('name = "late"', 'name = "later"')


@pytest.fixture
def rules(bench):
    return bench.folder / "rules" / "10-late.toml"


@pytest.fixture
def manager(tmp_path_factory):
    """Opens systemd's end of the notification socket."""
    path = tmp_path_factory.mktemp("manager") / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(10)
        yield listening


def told(done):
    """Returns the text on standard error after the announcement."""
    announced, _, rest = done.stderr.partition("\n")
    assert announced.startswith("instance "), done.stderr
    return rest


def heard(manager, until):
    """Returns the first field of every datagram, up to the field ``until``."""
    fields: list[str] = []
    while not fields or fields[-1] != until:
        fields.append(manager.recv(4096).decode().split("\n")[0])
    return [one for one in fields if not one.startswith(("STATUS=", "WATCHDOG="))]


def test_new_rules_are_in_force_when_the_command_is_back(bench, reading, ending, rules):
    service = bench.start("run")
    before = reading(service, "service.ready")["revision"]
    rules.write_text(RENAMED)

    done = bench.run("reload")
    status = bench.json("status")
    ending(service)

    assert done.returncode == 0, done.stderr
    assert status["rules"]["revision"] != before
    assert done.stdout == f"1 rule in force, revision {status['rules']['revision']} (before: {before})\n"


def test_refused_rules_are_told_where_they_are_wrong_and_the_old_ones_stay(bench, reading, ending, rules):
    service = bench.start("run")
    before = reading(service, "service.ready")["revision"]
    rules.write_text(RULES.replace("target", "taget"))

    done = bench.run("reload")
    checked = bench.run("check")
    status = bench.json("status")
    rejected = reading(service, "rules.rejected")
    rules.write_text(RENAMED)
    again = bench.run("reload")
    after = bench.json("status")
    ending(service)

    assert done.returncode == 1
    first, *errors = told(done).splitlines()
    assert first.startswith(f"reload refused: nothing has changed, and the rules of revision {before} are still")
    assert errors[0].startswith("rules/10-late.toml:10:1: ")
    assert "\n".join(errors) in checked.stderr, "the same mistake reads the same"
    assert errors == rejected["errors"] == status["rules"]["refused"]["errors"]
    assert status["rules"]["revision"] == before
    assert again.returncode == 0
    assert after["rules"]["refused"] is None


def test_what_needs_a_restart_is_refused_by_name_and_the_rest_takes_effect(bench, reading, ending, rules):
    config = bench.folder / "config.toml"
    text = config.read_text()
    service = bench.start("run")
    before = reading(service, "service.ready")["revision"]
    rules.write_text(RENAMED)
    config.write_text(text.replace('lookback = "7d"', 'lookback = "8d"'))

    refused = bench.run("reload")
    still = bench.json("status")["rules"]["revision"]
    config.write_text(text.replace('every = "1s"', 'every = "2s"'))
    accepted = bench.run("reload")
    status = bench.json("status")
    ending(service)

    assert refused.returncode == 1
    line = text.splitlines().index('lookback = "7d"') + 1
    assert told(refused).partition("\n")[2] == (
        f"config.toml:{line}:12: poll.lookback cannot change while the service runs: "
        "restart it, or take the change back\n"
    )
    assert still == before
    assert accepted.returncode == 0
    assert status["poll_every_s"] == 2.0
    assert status["rules"]["revision"] != before


def test_a_reload_names_what_the_instance_lacks_and_what_the_command_line_overrides(bench, reading, ending, rules):
    config = bench.folder / "config.toml"
    text = config.read_text()
    config.write_text(text + '\n[execute]\nmode = "enforce"\n')
    service = bench.start("run", "--observe", CONNECT_ROUTER_GUARD__PER_CYCLE="7")
    reading(service, "service.ready")
    rules.write_text(RULES.replace('"Billing Overflow"', '"Billing Overlow"'))
    config.write_text(text + '\n[execute]\nmode = "observe"\n[guard]\nper_cycle = 9\n')

    done = bench.run("reload")
    logged = reading(service, "rules.loaded")
    again = bench.json("reload")
    ending(service)

    at = len(text.splitlines())
    ineffective = [
        f"config.toml:{at + 3}:8: execute.mode has no effect here, because the command line sets it",
        f"config.toml:{at + 5}:13: guard.per_cycle has no effect here, because"
        " environment:CONNECT_ROUTER_GUARD__PER_CYCLE sets it",
    ]
    missing = 'rules/10-late.toml:16:7: queue "Billing Overlow" does not exist in the instance'
    assert done.returncode == 0
    unresolved, *others = told(done).splitlines()
    assert unresolved.startswith(f"warning: {missing}")
    assert others == [f"warning: {line}" for line in ineffective]
    assert logged["ineffective"] == ineffective
    assert [line.partition(" (did")[0] for line in logged["unresolved"]] == [missing]
    assert again["unresolved"] == logged["unresolved"]
    assert again["ineffective"] == [], "only a change is worth a line"


def test_a_signal_logs_the_same_as_the_command(bench, reading, ending, rules):
    service = bench.start("run")
    reading(service, "service.ready")
    rules.write_text(RULES.replace('"Billing Overflow"', '"Billing Overlow"'))
    service.send_signal(signal.SIGHUP)
    logged = reading(service, "rules.loaded")
    ending(service)
    assert "does not exist in the instance" in logged["unresolved"][0]
    assert not {"ineffective", "under_way"} & {*logged}


def test_a_broken_config_toml_is_refused_too_and_keeps_nobody_from_asking(bench, reading, ending):
    config = bench.folder / "config.toml"
    service = bench.start("run")
    reading(service, "cycle.finished")
    config.write_text(config.read_text().replace("[poll]", "[pol]"))

    done = bench.run("reload")
    status = bench.run("status")
    ending(service)

    assert done.returncode == 1
    assert "unknown table 'pol'" in done.stderr or "unknown key 'pol'" in done.stderr
    assert status.returncode == 0


def test_systemd_is_told_when_a_reload_begins_and_when_it_is_over_refused_or_not(
    bench, reading, ending, rules, manager
):
    service = bench.start("run", NOTIFY_SOCKET=manager.getsockname())
    assert heard(manager, "READY=1") == ["READY=1"]

    rules.write_text(RENAMED)
    bench.run("reload")
    assert heard(manager, "READY=1") == ["RELOADING=1", "READY=1"]
    rules.write_text("[[rule]]\n")
    service.send_signal(signal.SIGHUP)
    assert heard(manager, "READY=1") == ["RELOADING=1", "READY=1"]
    ending(service)


def test_the_last_good_rules_are_kept_and_started_with_and_that_is_said_loudly(bench, reading, ending, rules):
    first = bench.start("run")
    good = reading(first, "service.ready")["revision"]
    rules.write_text("half a fi")
    assert bench.run("reload").returncode == 1
    ending(first)
    assert bench.run("run", "--once").returncode == 78

    service = bench.start("run", "--last-good")
    loud = reading(service, "rules.last_good")
    ready = reading(service, "service.ready")
    status = bench.json("status")
    rules.write_text(RENAMED)
    mended = bench.run("reload")
    after = bench.json("status")
    ending(service)
    assert service.stderr is not None

    assert ready["revision"] == loud["revision"] == good
    assert loud["errors"][0].startswith("rules/10-late.toml:1:")
    assert status["rules"]["last_good"] is True
    assert mended.returncode == 0
    assert (after["rules"]["last_good"], after["rules"]["refused"]) == (False, None)


def test_without_any_kept_rules_last_good_says_so_and_does_not_start(bench, rules):
    rules.write_text("half a fi")

    done = bench.run("run", "--last-good")

    assert done.returncode == 78
    assert done.stderr == "last-good-rules.json: no rules were kept: none has run here yet\n"


def test_no_service_to_reload_is_one_line(bench):
    done = bench.run("reload")

    assert done.returncode == 1
    assert done.stderr.startswith("connect-router: no service answers on control.sock; start one")


def test_with_watch_whatever_is_done_to_the_folder_ends_in_whole_files_or_the_old_ones(bench, reading, ending, rules):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text() + '[rules]\nreload = "watch"\n')
    service = bench.start("run")
    reading(service, "service.ready")

    rules.write_text(RENAMED)
    edited = reading(service, "rules.loaded")
    rules.write_bytes(b"\xff\xfe")
    not_text = reading(service, "rules.rejected")
    new = rules.with_name("new")
    new.write_text(RULES)
    new.rename(rules)
    replaced = reading(service, "rules.loaded")
    shutil.rmtree(rules.parent)
    gone = reading(service, "rules.rejected")
    target = bench.folder / "v2"
    target.mkdir()
    (target / "20.toml").write_text(RENAMED)
    os.symlink("v2", rules.parent)
    swapped = reading(service, "rules.loaded")
    third = bench.folder / "v3"
    third.mkdir()
    (third / "20.toml").write_text(RULES)
    os.symlink("v3", bench.folder / "rules.new")
    (bench.folder / "rules.new").rename(rules.parent)
    again = reading(service, "rules.loaded")
    (third / "20.toml").write_text("# " + "x" * 10_000_000)
    huge = reading(service, "rules.rejected")
    ending(service)

    assert len({edited["revision"], replaced["revision"], swapped["revision"], again["revision"]}) == 4
    assert "rules/10-late.toml:1:1" in not_text["errors"][0]
    assert 'there is no folder or file "rules"' in gone["errors"][0]
    assert "larger than 10 MB" in huge["errors"][0]
