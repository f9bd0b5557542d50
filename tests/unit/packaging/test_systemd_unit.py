"""The shipped unit file, judged by systemd's own tools where the machine has them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from router.cli.commands.reload import WITHIN_S

UNIT = Path(__file__).parents[3] / "systemd" / "connect-router.service"
TEMPLATE = UNIT.with_name("connect-router@.service")
PROGRAM = "/opt/connect-router/bin/connect-router"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def settings() -> list[tuple[str, str, str]]:
    """Returns each setting with the line above it: ``(above, key, value)``."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [
        (above, *line.split("=", 1))  # type: ignore[misc]
        for above, line in zip(["", *lines], lines, strict=False)
        if "=" in line and not line.startswith("#")
    ]


def values(key: str) -> list[str]:
    return [value for _, name, value in settings() if name == key]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False)


def runnable_here(folder: Path, *, change: tuple[str, str] = ("", "")) -> Path:
    """Writes the unit with a program that exists here, because ``verify`` looks for the program."""
    copy = folder / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    assert f"ExecStart={PROGRAM} run --config /etc/connect-router/config.toml\n" in text
    assert f"ExecReload={PROGRAM} reload --config /etc/connect-router/config.toml\n" in text
    copy.write_text(text.replace(PROGRAM, sys.executable).replace(*change), encoding="utf-8")
    return copy


@pytest.mark.uses("processes")
@needs_systemd
def test_systemd_has_not_a_word_to_say_against_the_unit(tmp_path: Path):
    judged = analyze("verify", str(runnable_here(tmp_path)))

    # An unknown key is a warning to systemd: it is ignored, and the status is 0.
    assert (judged.returncode, judged.stderr, judged.stdout) == (0, "", "")


@pytest.mark.uses("processes")
@needs_systemd
def test_a_mistyped_key_would_be_seen(tmp_path: Path):
    judged = analyze("verify", str(runnable_here(tmp_path, change=("ProtectClock=", "ProtectClocks="))))

    assert "ProtectClocks" in judged.stderr


@pytest.mark.uses("processes")
@needs_systemd
def test_the_exposure_is_at_most_1_2():
    judged = analyze("security", "--offline=true", "--threshold=12", str(UNIT))

    assert judged.returncode == 0, judged.stdout


@pytest.mark.uses("processes")
@needs_systemd
def test_a_missing_protection_would_be_seen(tmp_path: Path):
    weaker = runnable_here(tmp_path, change=("SystemCallFilter=@system-service\n", ""))

    assert analyze("security", "--offline=true", "--threshold=12", str(weaker)).returncode != 0


def test_every_hardening_line_says_why_it_is_there():
    below = UNIT.read_text(encoding="utf-8").partition("# --- Hardening")[2]
    hardening = [(above, key) for above, key, value in settings() if f"\n{key}={value}\n" in below]

    assert len(hardening) > 25
    assert [key for above, key in hardening if not above.startswith("# ") and key != "WantedBy"] == []


def test_no_setting_stands_twice_but_those_that_add_up():
    names = [name for _, name, _ in settings()]

    assert {name for name in names if names.count(name) > 1} <= {"SystemCallFilter", "Environment"}


def test_a_configuration_that_does_not_load_is_not_started_again_in_a_loop():
    assert values("RestartPreventExitStatus") == ["78"]
    assert values("Restart") == ["on-failure"]


def test_the_unit_promises_only_what_the_oldest_supported_systemd_knows():
    # systemd 253 introduced notify-reload. Older versions take it for Type=simple and log no warning where it matters.
    assert values("Type") == ["notify"]


def test_a_crash_shows_every_thread_and_leaves_no_core_behind():
    assert "PYTHONFAULTHANDLER=1" in values("Environment")
    assert values("LimitCORE") == ["0"]


def test_the_ledger_and_the_socket_have_folders_of_their_own():
    assert values("StateDirectory") == ["connect-router"]
    assert values("RuntimeDirectory") == ["connect-router"]
    assert values("DynamicUser") == ["yes"]


def test_a_stop_is_asked_for_before_it_is_forced():
    assert values("KillSignal") == ["SIGTERM"]
    assert values("TimeoutStopSec") == ["15"]


def test_a_hung_cycle_is_ended_and_a_long_one_is_not():
    assert values("WatchdogSec") == ["10min"]
    assert "PYTHONFAULTHANDLER=1" in values("Environment"), "SIGABRT prints every stack"


def test_a_reload_waits_for_its_verdict_less_long_than_systemd_does():
    assert values("TimeoutStartSec") == ["90"]
    assert WITHIN_S < 90


def test_the_template_is_the_unit_with_a_folder_of_its_own_for_everything():
    """Ensures that a proof about one unit holds for the other."""
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    alone = [
        line.replace("/%i", "").replace(" for %i", "").replace("-%i", "").replace("/INSTANCE", "").replace("@NAME", "")
        for line in lines[2:]
    ]

    assert alone == UNIT.read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    named = ("ExecStart", "ExecReload", "EnvironmentFile", "StateDirectory", "RuntimeDirectory")
    assert [key for key in named if "/%i" not in settings[key]] == []


@pytest.mark.uses("processes")
@needs_systemd
def test_systemd_has_not_a_word_to_say_against_the_template(tmp_path: Path):
    copy = tmp_path / TEMPLATE.name
    copy.write_text(TEMPLATE.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    judged = analyze("verify", str(tmp_path / "connect-router@emea.service"))

    assert (judged.returncode, judged.stderr, judged.stdout) == (0, "", "")
