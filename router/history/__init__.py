"""Records what the service saw and decided, and reads histories: the router's own journal, contact records, exports.

Nothing here decides, calls Amazon Connect or changes a contact.
"""
