"""What the system tells of a process."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return _megabytes(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    return _megabytes(pid, "VmHWM")


def _megabytes(pid: int, name: str) -> float:
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith(name))
    return int(line.split()[1]) / 1024
