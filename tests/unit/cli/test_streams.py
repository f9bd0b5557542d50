"""Checks that no command fails because of a terminal's encoding, a closed stream, or a reader that has gone."""

import io
import os
import subprocess
import sys

import pytest

from router.cli.streams import prepare_streams

PRINTING = [["--help"], ["check"], ["schema"], ["history", "--json"]]


def run(command, *arguments, descriptors="", **environment):
    """Runs a command in a shell that closes or redirects its descriptors."""
    line = f'exec "$@" {descriptors}'
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-c", line, "bash", sys.executable, "-m", "router", *arguments],
        capture_output=True,
        cwd=command.folder,
        env={**kept, **environment},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "koi8-r", "shift_jis", "utf-8"])
def test_a_stream_escapes_what_its_encoding_does_not_have(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, write_through=True))
    prepare_streams()

    print("Größe → 5 € \N{CHECK MARK} \udce9")

    assert written.getvalue() == "Größe → 5 € \N{CHECK MARK} \udce9\n".encode(encoding, "backslashreplace")


@pytest.mark.uses("processes")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_check_escapes_what_the_terminal_cannot_write(command, encoding):
    command.rules.write_text(command.rules.read_text().replace("Billing is answered", "Größe → 5 € \N{CHECK MARK}"))

    done = run(command, "check", PYTHONIOENCODING=encoding)

    assert (done.returncode, done.stderr) == (0, b"")
    written = "Größe → 5 € \N{CHECK MARK} within".encode(encoding, "backslashreplace")
    assert written in done.stdout


@pytest.mark.uses("processes")
def test_an_error_with_a_name_that_the_terminal_cannot_write_is_its_own_line(command):
    command.rules.write_text(command.rules.read_text().replace('name = "late"', 'name = "spät"'))

    done = run(command, "check", PYTHONIOENCODING="ascii:strict")

    assert done.returncode == 2
    assert b"a bug" not in done.stderr
    assert done.stderr.startswith(b"rules/10-late.toml:")


@pytest.mark.uses("processes")
@pytest.mark.parametrize(
    ("arguments", "closed"),
    [*((one, ">&-") for one in PRINTING), *((["check"], one) for one in ("2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"))],
)
def test_a_closed_stream_does_not_matter(command, arguments, closed):
    done = run(command, *arguments, descriptors=closed)

    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.uses("processes")
def test_no_file_gets_the_number_of_a_closed_stream(command):
    program = (
        "import os; from router.cli import main; main(['schema']);"
        "print(sorted(int(one) for one in os.listdir('/proc/self/fd'))[:3], os.readlink('/proc/self/fd/1'),"
        " file=open('seen', 'w'))"
    )

    subprocess.run(["bash", "-c", 'exec "$0" -c "$1" <&- >&-', sys.executable, program], cwd=command.folder, check=True)

    assert (command.folder / "seen").read_text() == "[0, 1, 2] /dev/null\n"


@pytest.mark.uses("processes")
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_reader_that_has_gone_is_status_141(command, arguments):
    reading, writing = os.pipe()
    os.close(reading)

    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-m", "router", *arguments],
        stdout=writing, stderr=subprocess.PIPE, cwd=command.folder, env=environment, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (done.returncode, done.stderr) == (141, b"")
