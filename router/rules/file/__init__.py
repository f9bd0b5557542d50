"""Holds the TOML format of rule files: one pydantic model for each table, and the JSON Schema of the whole.

What the values mean belongs to ``router.rules``.
"""
