"""Checks files that the command line names: none is a pipe, and one that cannot be written is refused at once."""

import os

import pytest

from router.cli.main import main

PIPES = [
    ["simulate", "--scenario", "PIPE"],
    ["sandbox", "--scenario", "PIPE"],
    ["sandbox", "--profile", "PIPE"],
    ["demo", "--scenario", "PIPE"],
    ["check", "--config", "PIPE"],
    ["diff", "PIPE", "PIPE"],
    ["acceptance", "--share", "PIPE"],
    ["backtest", "--against", "PIPE"],
]


@pytest.mark.parametrize("words", PIPES, ids=" ".join)
def test_a_pipe_is_refused_because_reading_it_would_wait_for_a_writer(words, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert main([str(pipe) if word == "PIPE" else word for word in words]) == 2
    assert capsys.readouterr().err == f"{pipe}: this is not a file\n"


@pytest.mark.parametrize(
    ("name", "why"),
    [("nowhere/report", "No such file or directory"), (".", "Is a directory"), ("file/report", "Not a directory")],
)
@pytest.mark.parametrize(
    "words",
    [
        ["check", "--junit"],
        ["simulate", "--scenario", "missing.toml", "--html"],
        ["simulate", "--scenario", "missing.toml", "--junit"],
        ["backtest", "--against", "missing", "--junit"],
        ["acceptance", "--output"],
    ],
    ids=" ".join,
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_read(words, name, why, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    path = tmp_path / name

    assert main([*words, str(path)]) == 2
    assert capsys.readouterr().err == f"connect-router {words[0]}: {words[-1]} {path}: {why}: choose another file\n"
