"""``demo``: the product in one command, without an AWS account."""

from router.cli.demo.command import DESCRIPTION, EXAMPLE, configure, run

__all__ = ["DESCRIPTION", "EXAMPLE", "configure", "run"]
