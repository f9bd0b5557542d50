"""Holds one module for each command of ``connect-router``.

A command reads its arguments, calls the package that does the work and hands the result to ``router.cli.output``.
"""
