"""Holds everything that knows Amazon Connect: the client, requests, answers, quotas and parsing.

No dictionary of an AWS answer leaves this package, except through ``plain_calls``.
"""
