"""Decides which ``router`` the tests import, how hard Hypothesis tries, and what a test of the fast set may not do.

A bare ``pytest`` tests the checkout. ``make test`` sets ``TEST_THE_WHEEL=1`` and tests the wheel that
users would install: then nothing here touches ``sys.path``, and ``tests/unit/packaging`` proves where ``router`` came
from.
"""

import functools
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import botocore.hooks
import botocore.session
from botocore.client import ClientCreator
from botocore.loaders import Loader, create_loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parent.parent

if os.environ.get("TEST_THE_WHEEL") != "1":
    # `python -m pytest` has put the checkout into the path already, but not into that of the processes of tests.
    if str(CHECKOUT) not in sys.path:
        sys.path.insert(0, str(CHECKOUT))
    inherited = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != str(CHECKOUT)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), *inherited])

# A shell without job control lets its background jobs ignore Ctrl-C, and the processes that tests start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: on a shared machine it measures the neighbours. pytest-timeout bounds a test as a whole.
settings.register_profile("fast", deadline=None, max_examples=10, derandomize=True)
settings.register_profile("quick", deadline=None, max_examples=50)
settings.register_profile("suite", deadline=None, max_examples=50, derandomize=True, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Every new client of the SDK reads the descriptions of its service again, makes a method for each operation, gives
# several hundred events their present names, and inspects their handlers, which together takes a tenth of a second. The
# tests of one process share what was found out; the SDK does not change it.
botocore.session.create_loader = functools.cache(create_loader)
_hooks: Any = botocore.hooks
_alias_of = _hooks.EventAliaser(None)._alias_event_name  # has a cache
_hooks.EventAliaser._alias_event_name = lambda _, name: _alias_of(name)
_inspected = functools.cache(_hooks.accepts_kwargs)
_hooks.accepts_kwargs = lambda handler: _inspected(getattr(handler, "__func__", handler))  # retains no client


@functools.cache
def _model(loader: Loader, service: str, version: str | None) -> ServiceModel:
    return ServiceModel(loader.load_service_model(service, "service-2", api_version=version), service_name=service)


_creator: Any = ClientCreator
_methods: dict[ServiceModel, dict[str, Any]] = {}
_make_methods = _creator._create_methods


def _create_methods(creator: Any, model: ServiceModel) -> dict[str, Any]:
    """Returns a copy, because the SDK adds its own methods to it."""
    if model not in _methods:
        _methods[model] = _make_methods(creator, model)
    return dict(_methods[model])


_creator._load_service_model = lambda creator, service, version=None: _model(creator._loader, service, version)
_creator._create_methods = _create_methods

pytest_plugins = ["tests.purity"]

# With Python's own thresholds, the collector looks at every object of pytest and of the tests' modules again and again.
# That takes a fifth of the fast set's time.
gc.set_threshold(20_000, 20, 50)


def pytest_collection_finish() -> None:
    """Leaves out of every later collection what lives until the end of the run."""
    gc.collect()
    gc.freeze()
