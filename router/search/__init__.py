"""Finds out who waits: it spends SearchContacts where the metrics say that something unknown can be due.

The result is the waiting list. What else must be known about a contact belongs to ``lookup``.
"""
