"""Tests ``acceptance`` without an instance: what it refuses, and how it shares a profile."""

import pytest

from router.cli.errors import ACCEPTANCE

PROFILE = """
format = 1
taken_at = 2026-03-10T12:00:00Z
length = "quick"
botocore = "1.44.5"
router = "0.1.0"
instance = "arn:aws:connect:us-east-1:111122223333:instance/11111111-2222-3333-4444-555555555555"

[finding.answer_id]
value = "old"
evidence = ["12:00 TransferContact 3ce19c7b-7228-46d0-89ad-e33c0cf8ed54 200"]
"""


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "instance-profile.toml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


@pytest.mark.parametrize("value", [None, "0", "yes"])
def test_it_runs_only_if_the_variable_allows_it(command, monkeypatch, value):
    monkeypatch.delenv(ACCEPTANCE, raising=False)
    if value is not None:
        monkeypatch.setenv(ACCEPTANCE, value)
    done = command("acceptance", "--setup")
    assert done.status == 2
    assert done.err.splitlines()[-1].endswith(f"set {ACCEPTANCE}=1 if that is what you want")


def test_the_variable_is_no_key_of_the_configuration(command, monkeypatch):
    monkeypatch.setenv(ACCEPTANCE, "1")
    assert command("check").status == 0


def test_a_profile_is_shared_without_ids(command, profile):
    done = command("acceptance", "--share", str(profile))
    assert done.status == 0
    assert 'value = "old"' in done.out
    for secret in ("111122223333", "11111111-2222", "3ce19c7b"):
        assert secret not in done.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "instance-profile.toml:1:1: "),
        ("format = 2", "instance-profile.toml:1:10: "),
        (PROFILE.replace('"old"', '"older"'), 'expected one of "new", "old", got "older"'),
        ("[finding", "instance-profile.toml:1:"),
    ],
    ids=["empty", "of another format", "a value of no switch", "no TOML"],
)
@pytest.mark.parametrize(
    "arguments", [("acceptance", "--share"), ("sandbox", "--port", "0", "--profile")], ids=" ".join
)
def test_a_profile_with_mistakes_is_refused_with_each_at_its_place(command, profile, arguments, text, message):
    profile.write_text(text, encoding="utf-8")
    done = command(*arguments, str(profile))
    assert done.status == 2
    assert message in done.err


def test_a_missing_profile_is_one_line(command, tmp_path):
    done = command("acceptance", "--share", str(tmp_path / "none.toml"))
    assert done.status == 2
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [("--quick", "--full"), ("--queues", "A"), ("--flows", "A", "B", "C"), ("--everything",)],
    ids=" ".join,
)
def test_wrong_usage_is_refused(command, arguments):
    done = command("acceptance", *arguments)
    assert done.status == 2
    assert "see connect-router acceptance --help" in done.err


@pytest.mark.parametrize("option", ["--output", "--junit"])
@pytest.mark.parametrize(
    ("file", "why"),
    [("none/file", "No such file or directory"), ("folder", "Is a directory"), ("x" * 300, "File name too long")],
    ids=["a missing folder", "a folder", "a name that is too long"],
)
def test_a_file_that_could_not_be_written_is_refused_before_anything_is_called(
    command, monkeypatch, tmp_path, option, file, why
):
    monkeypatch.setenv(ACCEPTANCE, "1")
    (tmp_path / "folder").mkdir()
    done = command("acceptance", "--setup", option, str(tmp_path / file))
    assert done.status == 2
    assert done.err.endswith(f"{why}: choose another file\n")


def test_trying_to_write_leaves_no_trace(tmp_path):
    from router.cli.foreign_folders import require_writable

    kept = tmp_path / "kept"
    kept.write_text("a profile", encoding="utf-8")
    for path in (kept, tmp_path / "new"):
        require_writable(path, "--output", "acceptance")
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [("kept", "a profile")]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--setup", "--queues", "A", "B"), "--setup makes queues and flows"),
        (("--setup", "--output", "same", "--junit", "./same"), "--output and --junit name the same file"),
    ],
    ids=["set-up and names", "one file twice"],
)
def test_options_that_contradict_each_other_are_refused(command, monkeypatch, arguments, line):
    monkeypatch.setenv(ACCEPTANCE, "1")
    done = command("acceptance", *arguments)
    assert done.status == 2
    assert line in done.err
