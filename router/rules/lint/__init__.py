"""What can be proved about a rule set without an instance: only what is certain is said."""

from router.rules.lint.lint import lint

__all__ = ["lint"]
