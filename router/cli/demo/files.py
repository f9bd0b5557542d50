"""Which configuration the demo runs on."""

from __future__ import annotations

from pathlib import Path

import router
from router.cli.failures import CommandFailed
from router.settings.load import HERE

PACKAGE = Path(router.__file__).parent
SHIPPED = PACKAGE / "demo_files" / "config.toml"
"""In the wheel: the repository's own config.toml, with its rules beside it."""
CHECKOUT = PACKAGE.parent / "config.toml"
"""Run from a checkout the package has no copy: the originals stand beside it."""


def config_of(asked: str | None) -> Path:
    """The file that was asked for, else the one of the working directory, else the one that is shipped."""
    if asked is not None:
        return Path(asked)
    for path in (HERE, SHIPPED, CHECKOUT):
        if path.is_file():
            return path
    raise CommandFailed(f"connect-router demo: no {HERE} here; name one with --config", misconfigured=True)
