"""Holds one module for each thing that a command shows: tables, screens, reports.

Nothing here reads files or calls Amazon Connect.
"""
