"""Computes a value of an object once, when it is first needed."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info >= (3, 12):
    lazy_value = cached_property
else:

    class lazy_value(cached_property):
        """Computes a value without the lock that ``cached_property`` takes before Python 3.12.

        Ten thousand contacts have fifty thousand such values, and the lock costs more than most of them.
        """

        def __get__(self, instance, owner=None):
            found = instance.__dict__[self.attrname] = self.func(instance)
            return found
