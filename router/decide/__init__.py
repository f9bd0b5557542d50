"""Decides, as a pure function of a snapshot and the bound rules, what to do about each waiting contact.

No module here does I/O or reads a clock. ``lookup`` reads the values that a decision lacks; ``execute`` carries
decisions out.
"""
