"""Resolves paths in the settings: a relative path counts from the folder of the source that named it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from router.settings.model import Settings
from router.settings.sources import KeyPath, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Holds the folders of an installed service, for commands in a plain shell, because systemd names them to the
    service alone.

    ``config/NAME`` belongs to the template unit's instance NAME.
    """

    config: Path = Path("/etc/connect-router")
    state: Path = Path("/var/lib/connect-router")
    runtime: Path = Path("/run/connect-router")

    def folders(self, config: Path) -> tuple[Path, Path] | None:
        """Returns the folders of state and of run-time files; ``None`` if the file is not an installed one."""
        folder = Path(os.path.abspath(config)).parent
        if folder == self.config:
            return self.state, self.runtime
        if folder.parent == self.config:
            return self.state / folder.name, self.runtime / folder.name
        return None


INSTALLED = Installed()
SOCKET = "control.sock"


def placed(
    settings: Settings,
    layers: tuple[Layer, ...],
    environ: Mapping[str, str],
    *,
    config: Path,
    installed: Installed = INSTALLED,
) -> Settings:
    """Returns the settings with ``rules.path``, ``ledger.url``, ``journal.path`` and ``control.socket`` usable from the
    working directory.

    If nobody names the ledger, the journal or the socket, they are in systemd's directories, or else in those of the
    service that is installed with this ``config``. Otherwise the ledger is next to config.toml, the socket next to the
    ledger, and no journal is written. ``layers`` are given strongest first, the file last.
    """
    service = _of_the_service(config, installed)
    state = service.get("STATE_DIRECTORY")
    sockets = list(usual_sockets(config, environ, installed))
    journal = settings.journal.model_copy(update={"path": _journal(settings, layers, environ)})
    environ = {**service, **environ}
    rules = settings.rules.model_copy(update={"path": _folder(("rules", "path"), layers) / settings.rules.path})
    ledger = settings.ledger
    if ledger.table is None:
        ledger = ledger.model_copy(update={"url": f"sqlite:{_ledger(settings, layers, environ)}"})
    control = settings.control.model_copy(update={"socket": _socket(settings, layers, environ)})
    made = {"rules": rules, "ledger": ledger, "control": control, "journal": journal}
    resolved = settings.model_copy(update=made)
    resolved._state = _directory(environ, "STATE_DIRECTORY") or layers[-1].folder
    resolved._service_state = Path(state) if state is not None and environ["STATE_DIRECTORY"] == state else None
    resolved._sockets = tuple(sockets) if settings.control.socket == "auto" else ()
    return resolved


def _ledger(settings: Settings, layers: tuple[Layer, ...], environ: Mapping[str, str]) -> Path:
    key = ("ledger", "url")
    state = _directory(environ, "STATE_DIRECTORY")
    if state is not None and not any(layer.sets(key) for layer in layers):
        return state / settings.ledger.path
    return _folder(key, layers) / settings.ledger.path


def _journal(settings: Settings, layers: tuple[Layer, ...], environ: Mapping[str, str]) -> str:
    """Returns the folder of the journal; empty if none is written, as without systemd unless somebody names one. A
    trial in a plain shell writes none into the folder of the installed service."""
    path, state = settings.journal.path, _directory(environ, "STATE_DIRECTORY")
    if path != "auto":
        return str(_folder(("journal", "path"), layers) / path) if path else ""
    return str(state / "journal") if state is not None else ""


def _socket(settings: Settings, layers: tuple[Layer, ...], environ: Mapping[str, str]) -> str:
    """Returns the socket's path, still ``auto`` if it is next to the ledger."""
    if settings.control.socket != "auto":
        return str(_folder(("control", "socket"), layers) / settings.control.socket)
    runtime = _directory(environ, "RUNTIME_DIRECTORY")
    return str(runtime / SOCKET) if runtime is not None else "auto"


def usual_sockets(config: Path, environ: Mapping[str, str], installed: Installed = INSTALLED) -> Iterator[Path]:
    """Returns where a service with this ``config`` listens, unless the file, which may be unreadable, names another
    place."""
    runtime = _directory(environ, "RUNTIME_DIRECTORY")
    folders = installed.folders(config)
    state = _directory(environ, "STATE_DIRECTORY")
    for folder in (runtime, folders and folders[1], state, folders and folders[0], config.parent):
        if folder:
            yield folder / SOCKET


def _of_the_service(config: Path, installed: Installed) -> dict[str, str]:
    """Returns the folders that systemd would name. Folders that do not exist belong to no service.

    Whether they may be entered is for their user to find out. A ledger next to the file belongs to a service that
    systemd does not run, unless the service has one in its own folder. Then it was left by a trial.
    """
    folders = installed.folders(config)
    if folders is None or (os.path.lexists(config.with_name("ledger.db")) and _is_without_ledger(folders[0])):
        return {}
    names = zip(("STATE_DIRECTORY", "RUNTIME_DIRECTORY"), folders, strict=True)
    return {name: str(folder) for name, folder in names if os.path.lexists(folder)}


def _is_without_ledger(state: Path) -> bool:
    """Returns whether there is no ledger in the folder. One that may not be entered may have one."""
    try:
        (state / "ledger.db").lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _folder(key: KeyPath, layers: tuple[Layer, ...]) -> Path:
    """Returns the folder of the source that sets the key; the file's for a default."""
    return next((layer.folder for layer in layers if layer.sets(key)), layers[-1].folder)


def _directory(environ: Mapping[str, str], name: str) -> Path | None:
    """Returns the first directory, which is the service's own; systemd lists several with colons."""
    first = environ.get(name, "").partition(":")[0]
    return Path(first) if first else None
