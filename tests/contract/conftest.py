"""Starts stand-ins for DynamoDB for the tests that need them."""

from contextlib import ExitStack

import pytest

from router.ledger.shared.table import DynamoTable
from tests.builders import tables

TABLE = "connect-router"


@pytest.fixture(scope="session")
def endpoint_of():
    """Returns the address of a stand-in for DynamoDB by its name; it is started at its first use, with one table."""
    with ExitStack() as running:
        started: dict[str, str] = {}

        def endpoint(name: str) -> str:
            if name == "dynalite" and tables.dynalite_command() is None:
                pytest.skip("there is no dynalite here (make dynalite)")
            if name not in started:
                started[name] = running.enter_context({"moto": tables.moto, "dynalite": tables.dynalite}[name]())
                DynamoTable(tables.client_of(started[name]), TABLE).create()
            return started[name]

        yield endpoint
