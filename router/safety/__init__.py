"""Decides whether a call may be made now, by breakers, operator pauses, clock skew and landing slots.

``Safety`` is the face that other packages use. Reading the contact again before a call belongs to ``execute``, and the
limits of ``[guard]`` belong to ``decide``.
"""
