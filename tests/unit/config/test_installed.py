"""Finds an installed service's ledger and socket from a plain shell."""

from pathlib import Path

import pytest

from router.settings.load import load_settings
from router.settings.paths import Installed


def test_the_usual_folders_are_those_of_the_unit():
    installed = Installed()

    assert installed.folders(Path("/etc/connect-router/config.toml")) == (
        Path("/var/lib/connect-router"), Path("/run/connect-router"),
    )  # fmt: skip
    assert installed.folders(Path("/etc/connect-router/emea/config.toml")) == (
        Path("/var/lib/connect-router/emea"), Path("/run/connect-router/emea"),
    )  # fmt: skip


@pytest.mark.parametrize("elsewhere", ["/srv/config.toml", "config.toml", "/etc/connect-router/a/b/config.toml"])
def test_a_configuration_elsewhere_has_its_things_beside_it(elsewhere):
    assert Installed().folders(Path(elsewhere)) is None


@pytest.fixture
def host(tmp_path):
    """Returns a machine's folders, and the settings there."""
    installed = Installed(config=tmp_path / "etc", state=tmp_path / "var", runtime=tmp_path / "run")
    installed.config.mkdir()
    config = installed.config / "config.toml"
    config.write_text('[connect]\ninstance = "11111111-2222-3333-4444-555555555555"\n')

    def settings(text="", **environ):
        config.write_text(config.read_text() + text)
        return load_settings(config, environ=environ, overrides={}, installed=installed)

    return installed, settings


def test_a_service_that_is_installed_is_found(host):
    installed, settings = host
    installed.state.mkdir()
    installed.runtime.mkdir()

    found = settings()

    assert found.ledger.path == installed.state / "ledger.db"
    assert found.control_socket == installed.runtime / "control.sock"


def test_a_link_to_a_folder_that_may_not_be_entered_counts_as_there(host):
    installed, settings = host
    installed.state.symlink_to("/nowhere/private")

    assert settings().ledger.path == installed.state / "ledger.db"


def test_where_no_service_was_ever_started_by_systemd_all_is_beside_the_file(host):
    installed, settings = host

    found = settings()

    assert found.ledger.path == installed.config / "ledger.db"
    assert found.control_socket == installed.config / "control.sock"


def test_a_ledger_beside_the_file_is_the_one(host):
    installed, settings = host
    installed.state.mkdir()
    (installed.config / "ledger.db").touch()

    assert settings().ledger.path == installed.config / "ledger.db"


def test_what_is_named_goes_before_what_is_guessed(host):
    installed, settings = host
    installed.state.mkdir()
    installed.runtime.mkdir()

    found = settings('[ledger]\nurl = "sqlite:/srv/l.db"\n[control]\nsocket = "/srv/c.sock"\n')

    assert (found.ledger.path, found.control_socket) == (Path("/srv/l.db"), Path("/srv/c.sock"))


def test_systemds_own_word_goes_before_the_guess(host, tmp_path):
    installed, settings = host
    installed.state.mkdir()

    found = settings(STATE_DIRECTORY=str(tmp_path / "reported"), RUNTIME_DIRECTORY=str(tmp_path / "now"))

    assert found.ledger.path == tmp_path / "reported" / "ledger.db"
    assert found.control_socket == tmp_path / "now" / "control.sock"


def test_a_ledger_that_a_trial_left_beside_the_file_is_not_the_service_s(host):
    installed, settings = host
    installed.state.mkdir()
    (installed.config / "ledger.db").touch()
    (installed.state / "ledger.db").touch()

    assert settings().ledger.path == installed.state / "ledger.db"


def test_a_socket_is_looked_for_in_the_runtime_directory_first(host, tmp_path):
    installed, settings = host
    (installed.config / "ledger.db").touch()
    folders = [installed.runtime, installed.state, installed.config]

    assert settings().sockets == tuple(folder / "control.sock" for folder in folders)
    reported = settings(RUNTIME_DIRECTORY=str(tmp_path / "now"), STATE_DIRECTORY=str(tmp_path / "state"))
    assert reported.sockets[0] == tmp_path / "now" / "control.sock"
    assert set(reported.sockets) == {
        folder / "control.sock" for folder in (*folders, tmp_path / "now", tmp_path / "state")
    }


def test_a_socket_that_is_named_is_the_only_one(host):
    _, settings = host

    assert settings('[control]\nsocket = "/srv/c.sock"\n').sockets == (Path("/srv/c.sock"),)


def test_the_state_directory_of_the_service_is_known_to_other_processes_only(host):
    installed, settings = host
    assert settings().service_state is None
    installed.state.mkdir()

    assert settings().service_state == installed.state
    assert settings(STATE_DIRECTORY=str(installed.state / "own")).service_state is None
