"""Carries decisions out: it records the intent, reads the contact again, calls Amazon Connect and settles the outcome.

Whether a call is permitted belongs to ``safety``. What happens to a contact after its move belongs to ``followup``.
"""
