"""Finds out who waits: it spends SearchContacts where the metrics show that an unknown contact can be due.

Contact events, if they arrive, show who waits at once; then it searches where list and metrics disagree. The result is
the waiting list. What else must be known about a contact belongs to ``lookup``.
"""
