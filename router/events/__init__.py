"""Writes every log event of the service: each has one function, which fixes its name, its level and its fields.

The event ``contact.held`` is written by ``log_held``, ``rules.loaded`` by ``log_rules_loaded``. Only ``router.connect``
writes its own events (``api.*``, ``directory.missing``), because it is below this package and must know nothing of
decisions.
"""

from router.events.contacts import *
from router.events.messages import *
from router.events.service import *
