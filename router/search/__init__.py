"""Finds out who waits: it spends SearchContacts where the metrics show that an unknown contact can be due.

The result is the waiting list. What else must be known about a contact belongs to ``lookup``.
"""
