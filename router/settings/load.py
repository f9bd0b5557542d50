"""Reads config.toml, the environment and the command line into ``Settings``, or reports every mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from router.problems import Problem, Problems
from router.settings.cross_checks import conflicts
from router.settings.model import SOURCES, Overridden, Settings
from router.settings.paths import INSTALLED as INSTALLED_SERVICE
from router.settings.paths import Installed, placed
from router.settings.sources import FileLayer, KeyPath, Layer, command_line_layer, environment_layer, keys, merged
from router.toml_source import Finding, TomlSource, findings, read_bytes

HERE = Path("config.toml")
INSTALLED = Path("/etc/connect-router/config.toml")

KeyOrIndexPath = tuple[str | int, ...]

_OF_THE_SDK = re.compile("aws_|profile|credential|access_key|secret|session_token|role|endpoint|prox|http_prox")
_SDK = "credentials, profiles and endpoints are the AWS SDK's own: AWS_PROFILE, AWS_ENDPOINT_URL_CONNECT, …"

_SOURCES = {"--": "the command line"}
_SOME_INSTANCE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class _Places:
    """Knows where each key was set. It compares equal, because the same values from other places are equal settings."""

    layers: tuple[Layer, ...] = field(compare=False)

    def problem(self, key: KeyPath, message: str) -> Problem:
        return _problem_at(Finding(key, message), self.layers)

    def overridden(self) -> Mapping[KeyPath, Overridden]:
        *stronger, file = self.layers
        found: dict[KeyPath, Overridden] = {}
        for key in keys():
            winner = next((layer for layer in stronger if layer.sets(key)), None)
            value = file.value(key)
            if winner is not None and value is not None and not isinstance(value, dict):
                source = winner.problem(Finding(key, "")).file
                text = f"{'.'.join(key)} has no effect here, because {_SOURCES.get(source[:2], source)} sets it"
                found[key] = Overridden(value, file.problem(Finding(key, text)))
        return found


def load_settings(
    config: Path | None,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    installed: Installed = INSTALLED_SERVICE,
) -> Settings:
    """Returns the settings in force: ``overrides`` before ``environ`` before the file before the defaults.

    ``overrides`` are the command line's, by dotted key. ``config`` is the file; ``None`` means ``config.toml`` in the
    working directory, or else ``/etc/connect-router/config.toml``.

    Paths are relative to the working directory or absolute, with systemd's ``$STATE_DIRECTORY`` and
    ``$RUNTIME_DIRECTORY`` applied. Raises ``Problems`` with every located mistake, of all sources at once.
    """
    named: tuple[Layer, ...] = (command_line_layer(overrides), environment_layer(environ))
    problems = [problem for layer in named for problem in layer.problems]
    try:
        path = config if config is not None else usual_config()
        file = FileLayer(TomlSource.parse(str(path), read_bytes(path)), folder=path.parent)
    except Problems as broken:
        raise Problems([*problems, *broken.problems]) from None
    layers = (*named, file)
    try:
        settings = _from_layers(layers)
    except ValidationError as error:
        raise Problems([*problems, *_refused(error, layers)]) from None
    problems += _conflicts(settings, layers, wrong=[])
    if problems:
        raise Problems(problems)
    settings = placed(settings, layers, environ, config=path, installed=installed)
    settings._config_path = path
    settings._places = _Places(layers)
    return settings


def usual_config() -> Path:
    """Returns the file that is read if none is named. Raises ``Problems`` if there is none."""
    for path in (HERE, INSTALLED):
        if path.exists():
            return path
    message = f"there is no such file here, and no {INSTALLED} (name one with --config PATH)"
    raise Problems([Problem(str(HERE), 0, 0, message)])


def _from_layers(layers: tuple[Layer, ...]) -> Settings:
    token = SOURCES.set(layers)
    try:
        return Settings()
    finally:
        SOURCES.reset(token)


def _refused(error: ValidationError, layers: tuple[Layer, ...]) -> list[Problem]:
    """Returns why single keys are refused, and which of the others contradict each other."""
    data = merged(layers)
    found = [_complete(finding) for finding in findings(error, data, Settings)]
    problems = [_problem_at(finding, layers) for finding in found]
    wrong = [finding.path for finding in found]
    try:
        rest = Settings.model_validate(_without(data, wrong))
    except ValidationError:
        return problems
    return problems + _conflicts(rest, layers, wrong=wrong)


def _complete(finding: Finding) -> Finding:
    """Returns the finding with what is known of config.toml only.

    Without ``[connect]``, the instance is missing before all else. The AWS SDK's own settings do not belong into this
    file.
    """
    if finding.path == () and finding.message == "'connect' is missing":
        return Finding((), "'instance' is missing in [connect]")
    key = finding.path[-1] if finding.path else ""
    if finding.of == "key" and isinstance(key, str) and _OF_THE_SDK.match(key):
        return replace(finding, message=f"unknown key '{key}' ({_SDK})")
    return finding


def _problem_at(finding: Finding, layers: tuple[Layer, ...]) -> Problem:
    """Returns the problem at the strongest source that sets the path; at the file, the last, if none does."""
    responsible = next((layer for layer in layers if finding.path and layer.sets(finding.path)), layers[-1])
    return responsible.problem(finding)


def _conflicts(settings: Settings, layers: tuple[Layer, ...], *, wrong: list[KeyOrIndexPath]) -> list[Problem]:
    problems = []
    for conflict in conflicts(settings):
        if any(key[: len(path)] == path for key in conflict.keys for path in wrong if path):
            continue
        where = next((key for key in conflict.keys if any(layer.sets(key) for layer in layers)), conflict.keys[0])
        problems.append(_problem_at(Finding(where, conflict.message), layers))
    return problems


def _without(data: dict[str, Any], wrong: list[KeyOrIndexPath]) -> dict[str, Any]:
    """Returns the data without those paths; it shares the rest, and does not copy values that nest deeply."""
    left = data
    for path in wrong:
        left = _dropped(left, [part for part in path if isinstance(part, str)])
    connect = left.get("connect", {})
    if isinstance(connect, dict):
        left = {**left, "connect": {"instance": _SOME_INSTANCE, **connect}}
    return left


def _dropped(table: Any, path: list[str]) -> Any:
    if not path or not isinstance(table, dict) or path[0] not in table:
        return table
    if len(path) == 1:
        return {key: value for key, value in table.items() if key != path[0]}
    return {**table, path[0]: _dropped(table[path[0]], path[1:])}
