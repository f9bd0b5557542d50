"""The bytes of a file that the user named."""

from __future__ import annotations

import stat
from pathlib import Path

from router.problems import Problem, Problems
from router.toml_source.source import LARGEST


def read_bytes(path: Path, *, shown: str | None = None) -> bytes:
    """At most one byte more than a TOML file may have. ``Problems`` with one line, under the name ``shown`` (the path,
    if ``None``), where there is no such file, it is no ordinary file, or it may not be read."""
    try:
        # Asked before opening: opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Problems([Problem(shown or str(path), 1, 1, "this is not a file" + _instead(path))])
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        message = "there is no such file"
    except ValueError:  # a NUL in the path
        message = "no file can have this name"
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
    raise Problems([Problem(shown or str(path), 1, 1, message)])


def _instead(path: Path) -> str:
    return " but a folder" if path.is_dir() else ""
