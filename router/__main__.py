"""``python -m router``: the same command as ``connect-router``."""

from __future__ import annotations

import sys

from router.cli import main

sys.exit(main())
