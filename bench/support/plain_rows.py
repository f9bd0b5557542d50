"""Keeps every row of a search as boto3 returns it.

python plain_rows.py INSTANCE      prints the memory in MB before and after the search, and the number of rows
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3

sys.path.insert(0, str(Path(__file__).parent))
from process import resident_mb


def main() -> None:
    connect, now = boto3.client("connect"), datetime.now(UTC)
    pages = connect.get_paginator("search_contacts").paginate(
        InstanceId=sys.argv[1],
        TimeRange={"Type": "ENQUEUE_TIMESTAMP", "StartTime": now - timedelta(days=55), "EndTime": now},
        SearchCriteria={"Channels": ["TASK", "EMAIL"]},
        PaginationConfig={"PageSize": 100},
    )
    before = resident_mb(os.getpid())
    rows = [row for page in pages for row in page["Contacts"]]
    print(before, resident_mb(os.getpid()), len(rows))


if __name__ == "__main__":
    main()
