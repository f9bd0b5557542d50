"""Reads rows of the data lake's ``contact_record`` from Parquet files, by batches, with the extra ``history``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from router.history.world import HistoryUnusable
from router.runtime import install_command

COLUMNS = {
    "contact_id",
    "initial_contact_id",
    "previous_contact_id",
    "related_contact_id",
    "channel",
    "initiation_method",
    "initiation_timestamp",
    "disconnect_timestamp",
    "last_update_timestamp",
    "queue_id",
    "queue_arn",
    "queue_name",
    "queue_enqueue_timestamp",
    "queue_dequeue_timestamp",
    "queue_duration_ms",
    "agent_id",
    "agent_connected_to_agent_timestamp",
    "agent_interaction_duration_ms",
    "agent_after_contact_work_duration_ms",
    "attributes",
    "tags",
}
BATCH_ROWS = 4096


def parquet_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yields each row of a Parquet file, with those of the columns in use that the file has.

    Raises ``HistoryUnusable`` if pyarrow is missing, or if the file is damaged."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        line = f"{file} is a Parquet file, which needs the package pyarrow: {install_command('pyarrow')}"
        raise HistoryUnusable(line) from None
    number = 0
    try:
        with ParquetFile(file, coerce_int96_timestamp_unit="us", page_checksum_verification=True) as opened:
            names = [name for name in opened.schema_arrow.names if name in COLUMNS]
            for batch in opened.iter_batches(batch_size=BATCH_ROWS, columns=names, use_threads=False):
                columns = [_values(column) for column in batch.columns]
                for row in range(batch.num_rows):
                    yield {name: values[row] for name, values in zip(batch.schema.names, columns, strict=True)}
                number += batch.num_rows
    except (OSError, ValueError, ArrowException) as error:
        why = next(iter(str(error).splitlines()), "")
        raise HistoryUnusable(f"{file} is a damaged Parquet file, after row {number}: {why}") from None


def _values(column: Any) -> list[Any]:
    """Returns the values of a column. Python has no nanoseconds, and some programs write texts as bytes."""
    import pyarrow as arrow

    if arrow.types.is_timestamp(column.type):
        column = column.cast(arrow.timestamp("us", column.type.tz), safe=False)
    elif arrow.types.is_binary(column.type):
        column = column.cast(arrow.string())
    values: list[Any] = column.to_pylist()
    return values
