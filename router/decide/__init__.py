"""Decides, as a pure function of a snapshot and the bound rules, what is to be done about each waiting contact.

Reading what a decision lacks belongs to ``lookup``; carrying it out belongs to ``execute``.
"""
