"""Simulates a contact centre under one or two sets of rules: arrivals, agents, queues, and the real ``decide()``.

Nothing here calls AWS, reads a clock or draws a random number that the seed does not determine. A scenario or a history
describes the centre.
"""
