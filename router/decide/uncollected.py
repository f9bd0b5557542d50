"""No garbage collection while much is made that is all kept: looking through it again and again finds nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """What has no references left is freed all the same; only cycles wait until this is over. Where nobody collects
    anyway, nothing is changed."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
