"""Holds the long-running service: composition, schedule, signals, reload, status and the turns of several routers.

What one cycle does with a contact belongs to ``search``, ``lookup``, ``safety``, ``execute`` and ``followup``.
"""
