"""Compares rule sets on a recorded history, contact by contact, by the decisions of ``decide``.

What the waits would have been belongs to a simulation; no module here estimates anything.
"""
