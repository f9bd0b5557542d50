"""Reads what one decision needs to know and puts it into a snapshot, within budgets.

Searches for waiting contacts belong to ``search``; judging the snapshot belongs to ``decide``.
"""
