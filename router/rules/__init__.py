"""Holds the rule language as typed values: rules, conditions, clocks, steps, and binding names to an instance.

The file format belongs to ``router.rules.file``, proofs about rules to ``router.prove``.
"""
