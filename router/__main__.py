"""``python -m router``: the same command as ``connect-router``."""

import sys

from router.cli import main

sys.exit(main())
