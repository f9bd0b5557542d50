"""Holds what ``check`` proves about a rule set without an instance: reachability, circles, examples, coverage.

Everything here is pure.
"""
