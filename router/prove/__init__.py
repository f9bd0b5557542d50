"""Proves properties of rules without an instance, for ``check``: lint findings, circles, examples and their coverage.

No module here reads a live instance. Examples run on the code of ``decide``.
"""
