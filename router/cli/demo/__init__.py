"""Runs sandbox and service together, and shows what they do: everything behind the command ``demo``.

The command itself is ``router.cli.commands.demo``.
"""
