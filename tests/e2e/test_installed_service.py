"""Checks that a trial next to an installed service leaves nothing in its way, and that commands find the service."""

import functools
import os
import socket
from pathlib import Path

import pytest

from router.cli import context, foreign_folders
from router.settings import load_settings, paths
from router.settings.paths import Installed
from tests.e2e.bench import end, until_event


@pytest.fixture
def installed(bench, monkeypatch):
    """Returns the folders of a service that is installed with the configuration of the bench."""
    folders = Installed(config=bench.folder, state=bench.folder / "state", runtime=bench.folder / "runtime")
    folders.state.mkdir()
    folders.runtime.mkdir()
    monkeypatch.setattr(context, "load_settings", functools.partial(load_settings, installed=folders))
    monkeypatch.setattr(paths, "INSTALLED", folders)
    return folders


@pytest.fixture
def another_user(monkeypatch):
    other = os.geteuid() + 4711
    monkeypatch.setattr(os, "geteuid", lambda: other)


@pytest.mark.usefixtures("another_user")
@pytest.mark.parametrize("arguments", [["--once", "--observe"], ["--once", "--enforce"], ["--observe"], []])
def test_a_trial_of_another_user_is_refused_and_leaves_nothing(bench, installed, arguments):
    bench.enqueue()

    done = bench.run("run", *arguments)

    assert (done.returncode, done.stdout) == (78, "")
    first, how = done.stderr.splitlines()
    assert first.startswith(f"connect-router: {installed.state} belongs to ")
    assert first.endswith("the service could not open the files that it would leave there")
    assert "--set ledger.url=sqlite:/tmp/trial.db" in how
    assert os.listdir(installed.state) == os.listdir(installed.runtime) == []
    assert sorted(os.listdir(bench.folder)) == ["config.toml", "rules", "runtime", "state"]


@pytest.mark.parametrize("arguments", [["--once", "--observe"], ["--observe"]])
def test_a_trial_as_root_before_the_first_start_is_refused_and_leaves_nothing(bench, installed, monkeypatch, arguments):
    installed.state.rmdir()
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    done = bench.run("run", *arguments)

    assert (done.returncode, done.stdout) == (78, "")
    first, how = done.stderr.splitlines()
    assert first.startswith(f"connect-router: {bench.folder} is for the configuration, the service has not been ")
    assert f"StateDirectory={installed.state}" in how
    assert sorted(os.listdir(bench.folder)) == ["config.toml", "rules", "runtime"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root owns folders as root")
def test_root_may_name_a_ledger_or_keep_the_one_next_to_the_configuration(bench, installed, tmp_path):
    installed.state.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    named = bench.run("run", "--once", "--observe", "--set", f"ledger.url=sqlite:{elsewhere}/trial.db")
    assert named.returncode == 0, named.stderr
    (elsewhere / "trial.db").rename(bench.folder / "ledger.db")
    kept = bench.run("run", "--once", "--observe")

    assert kept.returncode == 0, kept.stderr


def as_root_in_a_folder_of(user, folder, monkeypatch):
    """Makes this process root, to look at, and the folder that of another user."""
    if os.geteuid() == 0:
        os.chown(folder, user, user)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.parametrize("by", ["STATE_DIRECTORY", "--set ledger.url", "config.toml", "control.socket", "journal.path"])
def test_root_makes_no_files_in_a_folder_of_another_user(bench, monkeypatch, by):
    theirs = bench.folder / "theirs"
    theirs.mkdir()
    as_root_in_a_folder_of(1, theirs, monkeypatch)
    arguments = ["run", "--once", "--observe"]
    if by == "STATE_DIRECTORY":
        bench.environment["STATE_DIRECTORY"] = str(theirs)
    elif by == "config.toml":
        config = bench.folder / "config.toml"
        config.write_text(config.read_text() + f'\n[ledger]\nurl = "sqlite:{theirs}/ledger.db"\n')
    elif by == "control.socket":
        arguments = ["run", "--observe", "--set", f"control.socket={theirs}/control.sock"]
    elif by == "journal.path":
        arguments += ["--set", f"journal.path={theirs}/journal"]
    else:
        arguments += ["--set", f"ledger.url=sqlite:{theirs}/ledger.db"]
    done = bench.run(*arguments)

    assert (done.returncode, done.stdout) == (78, "")
    first, how = done.stderr.splitlines()
    assert first.startswith(f"connect-router: {theirs} belongs to ")
    assert "sudo -u " in how
    assert os.listdir(theirs) == []


def test_the_way_to_run_it_fits_the_owner(tmp_path):
    def how(folder, owner):
        problem = foreign_folders.foreign(folder, owner, 0, "a ledger")
        return problem.lines[1].partition("start this with ")[2].partition(";")[0]

    unit = Path("/var/lib/connect-router/emea")
    dynamic = "systemd-run --pty -p DynamicUser=yes -p User=connect-router -p StateDirectory=connect-router/emea"
    assert how(unit, None) == dynamic
    assert how(unit, 61_999) == dynamic
    assert how(tmp_path, 54_321) == "sudo -u '#54321'"
    assert how(tmp_path, 0) == "sudo -u root"


@pytest.mark.usefixtures("another_user")
def test_a_trial_with_a_ledger_of_its_own_runs(bench, installed):
    done = bench.run("run", "--once", "--observe", "--set", "ledger.url=sqlite:trial.db")

    assert done.returncode == 0, done.stderr
    assert os.listdir(installed.state) == []
    assert (bench.folder / "trial.db").exists()


def test_what_the_refusal_advises_leaves_nothing_in_the_state_directory(bench, installed, monkeypatch):
    """Takes the advice of each refusal in turn, until the trial runs."""
    as_root_in_a_folder_of(1, installed.state, monkeypatch)
    config = bench.folder / "config.toml"
    config.write_text(config.read_text() + f'\n[journal]\npath = "{installed.state}/journal"\n')
    advice = {"ledger.url=": f"sqlite:{bench.folder}/trial.db", "journal.path=": ""}
    arguments = ["run", "--once", "--observe"]
    for key, value in advice.items():
        done = bench.run(*arguments)
        assert done.returncode == 78
        assert f"--set {key}" in done.stderr
        arguments += ["--set", key + value]

    done = bench.run(*arguments)

    assert done.returncode == 0, done.stderr
    assert os.listdir(installed.state) == []


@pytest.mark.parametrize("command", [["files", "STATE/files"], ["check", "--junit", "STATE/report.xml"]])
def test_root_writes_no_other_file_into_the_state_directory_of_a_service(bench, installed, monkeypatch, command):
    as_root_in_a_folder_of(1, installed.state, monkeypatch)

    done = bench.run(*(word.replace("STATE", str(installed.state)) for word in command))

    assert done.returncode in (2, 78)
    assert f"{installed.state} belongs to " in done.stderr
    assert "give it a file outside of it" in done.stderr
    assert os.listdir(installed.state) == []


def test_root_writes_other_files_where_they_are_wanted(bench, installed, monkeypatch):
    as_root_in_a_folder_of(1, bench.folder, monkeypatch)

    assert bench.run("check", "--junit", "report.xml").returncode == 0
    assert (bench.folder / "report.xml").exists()


@pytest.mark.usefixtures("another_user")
@pytest.mark.parametrize("command", [["plan"], ["history"], ["check"]])
def test_commands_that_only_read_run_as_any_user_and_leave_nothing(bench, installed, command):
    assert bench.run(*command).returncode == 0
    assert os.listdir(installed.state) == []


def test_the_users_of_a_service_are_named_as_they_can_be_used():
    assert foreign_folders.name_of(0) == "root"
    assert foreign_folders.name_of(61_999) is None
    assert foreign_folders.name_of(4_000_000_000) is None


@pytest.mark.parametrize("left", ["nothing", "dead socket", "ledger and dead socket"])
def test_commands_find_the_running_service_beside_what_a_trial_left(bench, installed, left):
    places = {"RUNTIME_DIRECTORY": str(installed.runtime), "STATE_DIRECTORY": str(installed.state)}
    service = bench.start("run", **places)
    until_event(service, "cycle.finished")
    if "socket" in left:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(bench.folder / "control.sock"))
    if "ledger" in left:
        (bench.folder / "ledger.db").touch()

    status = bench.run("status", "--json")
    paused = bench.run("pause", "--all", "--for", "1m", "--comment", "test")
    end(service)

    assert (status.returncode, paused.returncode) == (0, 0), status.stderr + paused.stderr
    assert str(installed.state) in status.stdout


def test_commands_find_a_service_that_was_started_by_hand(bench, installed):
    """Finds its socket next to its ledger, although systemd's folders exist."""
    service = bench.start("run")
    until_event(service, "cycle.finished")

    done = bench.run("status")
    end(service)

    assert done.returncode == 0, done.stderr


def test_without_a_service_the_error_names_the_runtime_directory(bench, installed):
    done = bench.run("status")

    assert done.returncode == 1
    assert done.stderr.startswith(f"connect-router: no service answers on {installed.runtime}/control.sock; start one")
