"""Holds config.toml, the environment and the command line as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field, PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from router.problems import Problem
from router.settings.quotas import Quotas
from router.settings.sections import (
    ConnectSettings,
    ControlSettings,
    ExecuteSettings,
    GuardSettings,
    JournalSettings,
    LedgerSettings,
    LogSettings,
    PollSettings,
    RulesSettings,
)
from router.settings.service_tables import EventsSettings, MetricsSettings, NotifySettings

SOURCES: ContextVar[tuple[PydanticBaseSettingsSource, ...]] = ContextVar("settings_sources", default=())
"""Where the settings being loaded come from, the strongest first. Empty: from the arguments alone, so that making
``Settings`` in code reads neither a file nor the environment."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """Holds a value of config.toml that a stronger source overrides; ``problem`` has its place, and the source."""

    value: object
    problem: Problem


class Places(Protocol):
    """Knows where each key was set."""

    def problem(self, key: tuple[str, ...], message: str) -> Problem: ...

    def overridden(self) -> Mapping[tuple[str, ...], Overridden]: ...


class Settings(BaseSettings):
    """Holds every key with the defaults of config.toml. ``load_settings`` resolves its paths.

    Settings made in code have their paths as given.
    """

    model_config = SettingsConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    connect: ConnectSettings = Field(description="which instance, and where")
    execute: ExecuteSettings = ExecuteSettings()
    poll: PollSettings = PollSettings()
    rules: RulesSettings = RulesSettings()
    guard: GuardSettings = GuardSettings()
    quotas: Quotas = Quotas()
    ledger: LedgerSettings = LedgerSettings()
    journal: JournalSettings = JournalSettings()
    log: LogSettings = LogSettings()
    control: ControlSettings = ControlSettings()
    metrics: MetricsSettings = MetricsSettings()
    notify: NotifySettings = NotifySettings()
    events: EventsSettings = EventsSettings()

    _config_path: Path | None = PrivateAttr(None)
    _places: Places | None = PrivateAttr(None)
    _state: Path = PrivateAttr(Path())
    _service_state: Path | None = PrivateAttr(None)
    _sockets: tuple[Path, ...] = PrivateAttr(())

    @property
    def config_path(self) -> Path | None:
        """Returns the file they were loaded from, as it was given; ``None`` for settings made in code."""
        return self._config_path

    def problem(self, key: tuple[str, ...], message: str) -> Problem:
        """Returns the message at the place that set the key; settings made in code have none."""
        return self._places.problem(key, message) if self._places is not None else Problem("config.toml", 0, 0, message)

    @property
    def overridden(self) -> Mapping[tuple[str, ...], Overridden]:
        """Returns the values of config.toml that the environment or the command line overrides."""
        return self._places.overridden() if self._places is not None else {}

    @property
    def state_folder(self) -> Path:
        """Returns the folder of the service's own files, next to the ledger.

        If the ledger is a table, it is systemd's state directory, or else the folder of config.toml.
        """
        return self._state if self.ledger.table is not None else self.ledger.path.parent

    @property
    def control_socket(self) -> Path:
        """Returns the socket for commands: in ``state_folder``, unless ``control.socket`` names another."""
        if self.control.socket == "auto":
            return self.state_folder / "control.sock"
        return Path(self.control.socket)

    @property
    def sockets(self) -> tuple[Path, ...]:
        """Returns where a running service with this file may listen, the likeliest first."""
        return tuple(dict.fromkeys((*self._sockets, self.control_socket)))

    @property
    def service_state(self) -> Path | None:
        """Returns the state directory of the installed service, if this process would use it without being the service
        that systemd has started."""
        return self._service_state

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leaves out the library's own reading of the environment, which cannot name the wrong variable."""
        return (init_settings, *SOURCES.get())
