"""Refuses to make files in a folder of another user, because the service could not open them."""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from router.cli.errors import CommandFailed
from router.problems import printable
from router.settings import Settings, paths

DYNAMIC_USERS = range(61184, 65520)
"""Numbers that systemd gives to users of ``DynamicUser=yes`` (systemd.io, "Users, Groups, UIDs and GIDs on systemd
Systems")."""

TRIAL_LEDGER = "a ledger of its own with --set ledger.url=sqlite:/tmp/trial.db"


def require_own_folders(settings: Settings, *, once: bool) -> None:
    """Raises ``CommandFailed`` if root would make files in a folder of another user or make the ledger next to an
    installed config.toml, or anybody in the state directory of a service of another user."""
    me, service = os.geteuid(), settings.service_state
    if me == 0:
        _require_started(settings)
    for folder, alternative in _folders(settings, once=once):
        of_service = service is not None and _is_within(folder, service)
        if me != 0 and not of_service:
            continue
        _require_own(service if of_service and service is not None else folder, me, alternative)


def _require_started(settings: Settings) -> None:
    """Raises ``CommandFailed`` if the ledger would be made next to the config.toml of an installed service.

    Before its first start, such a service has no state directory. A ledger that is there already belongs to a service
    that systemd does not run.
    """
    config, ledger = settings.config_path, settings.ledger
    folders = paths.INSTALLED.folders(config) if config is not None else None
    if config is None or folders is None or ledger.table is not None:
        return
    usual = config.resolve().with_name("ledger.db")
    if ledger.path.resolve() == usual and not os.path.lexists(usual):
        why = f"{usual.parent} is for the configuration, the service has not been started yet, and this process is root"
        raise _refusal(why, _as_dynamic_user(folders[0]), TRIAL_LEDGER)


def require_own_output(path: Path) -> None:
    """Raises ``CommandFailed`` if the file would be in the state directory of an installed service of another user."""
    state = paths.INSTALLED.state
    if _is_within(path, state):
        _require_own(state, os.geteuid(), "a file outside of it")


def require_writable(path: Path, option: str, command: str) -> None:
    """Raises ``CommandFailed`` if the file cannot be written. It is called before a command works for long."""
    require_own_output(path)
    number = _hindrance(path)
    if number is not None:
        line = f"connect-router {command}: {option} {path}: {os.strerror(number)}: choose another file"
        raise CommandFailed(printable(line), misconfigured=True)


def _hindrance(path: Path) -> int | None:
    """Returns the number of the error that writing the file would have; ``None`` if nothing is seen to prevent it."""
    try:
        if path.is_dir():
            return errno.EISDIR
        if path.exists():
            return None if os.access(path, os.W_OK) else errno.EACCES
        path.parent.stat()
    except OSError as error:
        return error.errno
    if not path.parent.is_dir():
        return errno.ENOTDIR
    return None if os.access(path.parent, os.W_OK | os.X_OK) else errno.EACCES


def _folders(settings: Settings, *, once: bool) -> Iterator[tuple[Path, str]]:
    """Yields the folders that ``run`` makes files in, each with a way to have them elsewhere. The ledger's lock, the
    outbox and the last good rules are next to the ledger."""
    if not once:
        yield settings.control_socket.parent, "a socket of its own with --set control.socket=/tmp/trial.sock"
    yield settings.state_folder, TRIAL_LEDGER
    if settings.journal.folder is not None:
        yield settings.journal.folder, "no journal with --set journal.path="


def _is_within(folder: Path, outer: Path) -> bool:
    return folder.resolve().is_relative_to(outer.resolve())


def _require_own(folder: Path, me: int, alternative: str) -> None:
    for existing in (folder, *folder.absolute().parents):
        try:
            owner: int | None = existing.stat().st_uid
        except FileNotFoundError:
            continue
        except OSError:
            owner = None  # only root and its owner may enter it
        if owner != me:
            raise foreign(existing, owner, me, alternative)
        return


def foreign(folder: Path, owner: int | None, me: int, alternative: str) -> CommandFailed:
    """Returns the error for a folder of another user, with the ways to go on."""
    name = name_of(owner) if owner is not None else None
    of_systemd = owner is None or owner in DYNAMIC_USERS or folder.is_relative_to("/var/lib")
    if name is None and of_systemd:
        how = _as_dynamic_user(folder)
    else:
        user = name if name is not None else f"'#{owner}'"
        how = f"sudo -u {user}"
    whose = name or ("the user of the service" if owner is None or owner in DYNAMIC_USERS else f"user {owner}")
    return _refusal(f"{folder} belongs to {whose}, and this process is {name_of(me) or me}", how, alternative)


def _as_dynamic_user(state: Path) -> str:
    name = str(state).removeprefix("/var/lib/")
    return f"systemd-run --pty -p DynamicUser=yes -p User=connect-router -p StateDirectory={name}"


def _refusal(why: str, how: str, alternative: str) -> CommandFailed:
    return CommandFailed(
        f"connect-router: {why}: the service could not open the files that it would leave there",
        f"stop the service and start this with {how}; or give it {alternative}; `plan` shows what is due and writes"
        " nothing",
        misconfigured=True,
    )


def name_of(uid: int) -> str | None:
    """Returns the name of a user, unless it is a user that systemd makes for the time of a service."""
    try:
        return None if uid in DYNAMIC_USERS else pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
