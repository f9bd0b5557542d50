"""Notices that rule files have changed, and waits until the change is complete (``rules.reload = "watch"``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

from watchfiles import watch

from router import events
from router.news import NewsFilter

LOOK_EVERY_MS = 500
"""Also without a word from the kernel: a link to a folder elsewhere, and most network file systems, give none."""
SETTLED_AFTER_S = 0.25
LONGEST_UNREST_S = 5.0
"""Files that never rest are read all the same; what was half written is refused, and read again when it has changed."""

Signature = tuple[object, ...]


class RulesWatcher:
    """Watches the rule files from its creation on, and calls ``changed``, in its own thread, when they differ.

    ``path`` returns where the rules are now. ``run`` ends with ``stopping``.
    """

    def __init__(self, path: Callable[[], Path], changed: Callable[[], object], *, stopping: Event) -> None:
        self._path = path
        self._changed = changed
        self._stopping = stopping
        self._news = NewsFilter[str]()
        self._seen = signature(path())

    @property
    def behind(self) -> bool:
        """Returns whether the files differ from those that it last reported."""
        return signature(self._path()) != self._seen

    def run(self) -> None:
        while not self._stopping.is_set():
            path, place = self._path(), _places(self._path())
            try:
                for _ in watch(
                    *place,
                    stop_event=self._stopping,
                    step=100,
                    rust_timeout=LOOK_EVERY_MS,
                    yield_on_timeout=True,
                    recursive=False,
                    raise_interrupt=False,
                ):
                    self._look()
                    if (path, place) != (self._path(), _places(self._path())):
                        break
            except Exception as error:  # no more watches, or a folder that went this very moment
                self._tell(error)
                self._stopping.wait(LOOK_EVERY_MS / 1000)
                self._look()

    def _look(self) -> None:
        if not self.behind:
            return
        now = self._settled()
        if self._stopping.is_set():
            return
        if now != self._seen:
            self._changed()
            if self._stopping.is_set():
                return  # what read them may have ended meanwhile
        self._seen = now

    def _settled(self) -> Signature:
        """Returns the signature of the files when they have not changed for a moment."""
        now = signature(self._path())
        for _ in range(int(LONGEST_UNREST_S / SETTLED_AFTER_S)):
            if self._stopping.wait(SETTLED_AFTER_S):
                break
            before, now = now, signature(self._path())
            if before == now:
                break
        return now

    def _tell(self, error: Exception) -> None:
        if self._news.is_news("watch"):
            events.log_rules_watch_degraded(error)


def signature(path: Path) -> Signature:
    """Returns a value that changes with any change of the files, links followed; reads none of them."""
    try:
        if not path.is_dir():
            return (_of_file(path),)
        names = sorted(name for name in os.listdir(path) if name.endswith(".toml") and not name.startswith("."))
    except OSError as error:
        return (error.errno,)
    return tuple((name, _of_file(path / name)) for name in names)


def _of_file(path: Path) -> Signature:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno,)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _places(path: Path) -> tuple[str, ...]:
    """Returns the folder and its parent, where the folder can be renamed, deleted or replaced. Missing ones are left
    out."""
    found = [one for one in (path, path.absolute().parent) if one.is_dir()]
    return tuple(os.path.realpath(one) for one in found) or (os.path.abspath(os.sep),)
