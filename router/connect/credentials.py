"""Provides the SDK's credentials to its clients, and resolves them again when they have been renewed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any

import botocore.session
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from router.sdk_errors import describe_error, refused_time

CHECK_EVERY = 1.0
"""Seconds between two looks at the files."""
LEAST_SECRET = 16
"""Characters of the shortest key id of AWS; shorter values are no secrets, and occur in ordinary text."""

_FIELDS = {"access_key": "key id", "secret_key": "secret key", "token": "session token"}
_VARIABLES = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
    "token": "AWS_SESSION_TOKEN",
}


class UnusableCredentials(BotoCoreError):
    """Reports credentials that cannot sign a call. Its text contains no part of them."""

    fmt = "{why}"


class RenewableCredentials:
    """Replaces the SDK's credentials, and resolves them again on three occasions. Thread-safe.

    The occasions: one of the SDK's files has changed, AWS has refused them (``renewed_since``), or somebody wants it
    (``renew``). Whatever cannot be resolved leaves the credentials as they are. Each client's session takes it as its
    ``credential_provider``.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = RLock()
        self._found: Credentials | None = None
        self._files: tuple[str, ...] = ()
        self._stamps: object = None
        self._checked_at = 0.0
        self._used: ReadOnlyCredentials | None = None
        self.generation = 0
        """Counts how often other credentials were found."""
        self.refused = False
        """Whether AWS refused them in the last call that it answered."""

    def load_credentials(self) -> RenewableCredentials | None:
        """Returns itself, or ``None`` if there are no credentials. Raises what the SDK raises."""
        with self._lock:
            if self._found is None:
                self._found = self._resolve()
            if self._found is not None and not isinstance(self._found, RefreshableCredentials):
                _require_clean(self._found.get_frozen_credentials(), self._found.method)
            return None if self._found is None else self

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Returns the credentials for one call. Raises ``UnusableCredentials``, or what the SDK raises."""
        now = self._monotonic()
        if now - self._checked_at >= CHECK_EVERY:
            self._checked_at = now
            if self._stamps != _stamps(self._files):
                self.renew()
        found = self._found
        assert found is not None, "a client has credentials"
        try:
            used = found.get_frozen_credentials()
        except BotoCoreError:
            raise
        except Exception as error:
            if isinstance(error, ClientError) and _is_about_time(error):
                raise
            why = f"the credentials from {found.method} could not be renewed: {describe_error(error)}"
            raise UnusableCredentials(why=why) from None
        _require_clean(used, found.method)
        self._used = used
        return used

    def renewed_since(self, generation: int) -> bool:
        """Returns whether there are other credentials than those of the generation, which AWS has refused."""
        with self._lock:
            return self.generation != generation or self.renew()

    def renew(self) -> bool:
        """Resolves the credentials again; returns whether they are others than those of the last call."""
        with self._lock:
            try:
                found = self._resolve()
                frozen = found.get_frozen_credentials() if found is not None else None
            except Exception:
                return False
            if frozen is None or frozen == self._used:
                return False
            self._found, self._used = found, frozen
            self.generation += 1
            return True

    def renew_if_refused(self, parsed: Mapping[str, Any], codes: frozenset[str]) -> None:
        """Renews after a call that was answered with one of the codes."""
        if (parsed.get("Error") or {}).get("Code") in codes:
            self.renew()

    def hide(self, response_dict: dict[str, Any], **_: object) -> None:
        """Removes the credentials from the body of an error before the SDK reads it, because some servers quote the
        request."""
        used = self._used
        if used is None or response_dict["status_code"] < 300:
            return
        body: bytes = response_dict.get("body") or b""
        for secret in (used.access_key, used.secret_key, used.token):
            if secret and len(secret) >= LEAST_SECRET:
                body = body.replace(secret.encode(), b"***")
        response_dict["body"] = body

    def _resolve(self) -> Credentials | None:
        """Returns what a new session finds; an old one retains what it has read of the files."""
        session = botocore.session.Session()
        names = ("credentials_file", "config_file")
        self._files = tuple(os.path.expanduser(str(session.get_config_variable(name))) for name in names)
        stamps = _stamps(self._files)
        found: Credentials | None = session.get_credentials()
        self._stamps = stamps
        return found

    def __getattr__(self, name: str) -> Any:
        """Returns whatever else the SDK wants to know of its credentials."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._found, name)


def _stamps(files: tuple[str, ...]) -> object:
    """Returns what changes when one of the files is written or replaced, behind a link as well."""
    found: list[object] = []
    for path in files:
        try:
            stat = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return found


def _is_about_time(error: ClientError) -> bool:
    told = error.response.get("Error") or {}
    return refused_time(str(told.get("Code")), str(told.get("Message"))) is not None


def _require_clean(used: ReadOnlyCredentials, method: str | None) -> None:
    """Raises ``UnusableCredentials`` that names the field if one cannot be sent in a header."""
    for field, name in _FIELDS.items():
        value = getattr(used, field) or ""
        if value != value.strip():
            flaw = "has whitespace around it"
        elif not value.isascii() or not value.isprintable() or " " in value:
            flaw = "has a character in it that no key has"
        else:
            continue
        where = f" ({_VARIABLES[field]})" if method == "env" else f" (from {method})"
        raise UnusableCredentials(why=f"the {name}{where} {flaw}: correct it")
