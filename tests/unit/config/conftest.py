"""Builds configurations that load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from router.problems import Problems
from router.settings import Settings, load_settings

INSTANCE = "11111111-2222-3333-4444-555555555555"
SMALLEST = f'[connect]\ninstance = "{INSTANCE}"\n'

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes a file with these lines after the instance, and loads it."""

    def loaded(
        text: str = "",
        *,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, object] | None = None,
        whole: str | None = None,
    ) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(SMALLEST + text if whole is None else whole)
        return load_settings(path, environ=environ or {}, overrides=overrides or {})

    return loaded


@pytest.fixture
def reported(load: Load) -> Callable[..., list[str]]:
    """Returns the lines that loading is refused with, without the folder of the file."""

    def lines(*args, **kwargs) -> list[str]:
        with pytest.raises(Problems) as caught:
            load(*args, **kwargs)
        return [str(problem).rpartition("/config.toml:")[2] for problem in caught.value.problems]

    return lines
