"""Reads and writes the DynamoDB table of a shared ledger: conditional writes and consistent reads.

An item is stored under an instance and a name.

Facts from the Amazon DynamoDB Developer Guide: a condition is decided atomically with its write (Condition
expressions); a read is consistent only on request (Read consistency); an item has at most 400 KB, a page
of a query 1 MB (Quotas).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.parsers import ResponseParserError

from router.ledger.errors import LedgerBroken, LedgerUnavailable
from router.sdk_errors import describe_error

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


PARTITION, SORT = "instance", "entry"
"""The table's key: a Connect instance, and what the item is."""

Attribute = str | int | bytes
Item = Mapping[str, Attribute]
T = TypeVar("T")

MOST_REMOVED = 25
"""Items in one BatchWriteItem (API_BatchWriteItem)."""

FAILURES = (ClientError, BotoCoreError, ResponseParserError)
REFUSED = "ConditionalCheckFailedException"
MISSING = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """Reads and writes the items of one table. Thread-safe.

    Every method raises ``LedgerUnavailable`` if DynamoDB cannot be reached, or its response is lost: a write may have
    been made then. It raises ``LedgerBroken`` if the table is missing, or not a ledger's.
    """

    client: DynamoDBClient
    name: str

    @property
    def url(self) -> str:
        return f"dynamodb:{self.name}"

    @property
    def region(self) -> str:
        return self.client.meta.region_name

    def get(self, instance: str, entry: str) -> Item | None:
        """Returns an item. Raises ``LedgerBroken`` if the table has another key: DynamoDB checks it with each call."""
        try:
            found = self.client.get_item(TableName=self.name, Key=_key(instance, entry), ConsistentRead=True)
        except FAILURES as error:
            if isinstance(error, ClientError) and _code(error) == "ValidationException":
                raise LedgerBroken(self._not_ours()) from error
            raise self._meaning(error) from error
        return _read(found["Item"]) if "Item" in found else None

    def put_new(self, item: Item) -> bool:
        """Writes a new item; returns ``False`` if there is one of this name already, and then nothing was written."""
        return self._put(item, "attribute_not_exists(#there)", {"#there": SORT}, {})

    def replace(self, item: Item, *, expected: Item) -> bool:
        """Replaces an item; returns ``False`` if the present one has not these attributes, and then nothing was
        written."""
        return self._put(item, *_has(expected))

    def delete(self, instance: str, entry: str, *, expected: Item) -> bool:
        """Deletes an item; returns ``False`` if the present one has not these attributes."""
        condition, names, values = _has(expected)
        return self._decided(
            lambda: self.client.delete_item(
                TableName=self.name,
                Key=_key(instance, entry),
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        )

    def between(self, instance: str, first: str, last: str, *, only: Iterable[str] = ()) -> Iterator[Item]:
        """Returns items in the order of their names, both ends included; with ``only``, these attributes of each."""
        wanted = tuple(only)
        query: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "KeyConditionExpression": "#p = :p AND #s BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#p": PARTITION, "#s": SORT},
            "ExpressionAttributeValues": {
                ":p": _written(instance), ":first": _written(first), ":last": _written(last)
            },
        }  # fmt: skip
        if wanted:
            query["ProjectionExpression"] = ", ".join(f"#o{number}" for number in range(len(wanted)))
            query["ExpressionAttributeNames"] |= {f"#o{number}": name for number, name in enumerate(wanted)}
        while True:
            page = self._asked(lambda: self.client.query(**query))
            for item in page["Items"]:
                yield _read(item)
            if not page.get("LastEvaluatedKey"):
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def remove(self, instance: str, entries: Iterable[str]) -> None:
        """Removes items, whether or not they exist."""
        left: list[Any] = [{"DeleteRequest": {"Key": _key(instance, entry)}} for entry in entries]
        while left:
            batch, left = left[:MOST_REMOVED], left[MOST_REMOVED:]
            left = [*self._remove(batch), *left]

    def _remove(self, batch: list[Any]) -> list[Any]:
        """Returns what DynamoDB left for another time."""
        answer = self._asked(lambda: self.client.batch_write_item(RequestItems={self.name: batch}))
        return list(answer.get("UnprocessedItems", {}).get(self.name, []))

    def create(self) -> bool:
        """Makes the table and waits until it can be used; returns ``False`` if it existed already, with the right
        key."""
        try:
            self.client.create_table(
                TableName=self.name,
                KeySchema=[
                    {"AttributeName": PARTITION, "KeyType": "HASH"},
                    {"AttributeName": SORT, "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": PARTITION, "AttributeType": "S"},
                    {"AttributeName": SORT, "AttributeType": "S"},
                ],
                BillingMode="PAY_PER_REQUEST",
            )
            made = True
        except ClientError as error:
            if _code(error) != "ResourceInUseException":
                raise self._meaning(error) from error
            made = False
        except (BotoCoreError, ResponseParserError) as error:
            raise self._meaning(error) from error
        self._wait()
        self.require()
        return made

    def require(self) -> None:
        """Raises ``LedgerBroken`` if there is no such table, or it has another key."""
        found = self._asked(lambda: self.client.describe_table(TableName=self.name))["Table"]
        key = [(one["AttributeName"], one["KeyType"]) for one in found.get("KeySchema", [])]
        if sorted(key) != [(SORT, "RANGE"), (PARTITION, "HASH")]:
            raise LedgerBroken(self._not_ours())

    def _not_ours(self) -> str:
        return f"{self.url}: this table is not a ledger's: its key is not {PARTITION} and {SORT}"

    def _wait(self) -> None:
        try:
            self.client.get_waiter("table_exists").wait(
                TableName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
        except (WaiterError, *FAILURES) as error:
            raise self._meaning(error) from error

    def _put(self, item: Item, condition: str, names: dict[str, str], values: dict[str, Any]) -> bool:
        given: dict[str, Any] = {"ExpressionAttributeNames": names}
        if values:
            given["ExpressionAttributeValues"] = values
        return self._decided(
            lambda: self.client.put_item(
                TableName=self.name,
                Item={name: _written(value) for name, value in item.items()},
                ConditionExpression=condition,
                **given,
            )
        )

    def _decided(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except ClientError as error:
            if _code(error) == REFUSED:
                return False
            raise self._meaning(error) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise self._meaning(error) from error
        return True

    def _asked(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except FAILURES as error:
            raise self._meaning(error) from error

    def _meaning(self, error: Exception) -> LedgerUnavailable:
        if isinstance(error, ClientError):
            code = _code(error)
            if code == MISSING:
                missing = f"{self.url}: there is no such table in {self.region}"
                return LedgerBroken(f'{missing}: "connect-router ledger create-table" makes it')
        return LedgerUnavailable(f"{self.url}: {describe_error(error)}")


def _has(expected: Item) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Returns the condition that an item has these attributes, with its names and values."""
    names = {f"#e{number}": name for number, name in enumerate(expected)}
    values = {f":e{number}": _written(value) for number, value in enumerate(expected.values())}
    return " AND ".join(f"{name} = :{name[1:]}" for name in names), names, values


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) or "unspecified"


def _key(instance: str, entry: str) -> dict[str, Any]:
    return {PARTITION: _written(instance), SORT: _written(entry)}


def _written(value: Attribute) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"B": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _read(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """Returns the strings, numbers and bytes of an item; a ledger has no other values."""
    return {name: value for name, typed in item.items() if (value := _attribute(typed)) is not None}


def _attribute(typed: Mapping[str, Any]) -> Attribute | None:
    if "S" in typed:
        return str(typed["S"])
    if "N" in typed:
        return int(typed["N"]) if str(typed["N"]).lstrip("-").isdecimal() else None
    return bytes(typed["B"]) if "B" in typed else None
