"""Stand-ins for DynamoDB, for whoever asks for them."""

from contextlib import ExitStack

import pytest

from router.ledger.shared.table import DynamoTable
from tests.builders import tables

TABLE = "connect-router"


@pytest.fixture(scope="session")
def endpoint_of():
    """The address of a stand-in for DynamoDB, by its name; started when it is first asked for, with one table."""
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
