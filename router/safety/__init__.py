"""Answers whether a call may be made now: breakers, operator pauses, clock skew and landing slots."""
