"""Proves the promises of rule files for every contact, with a solver, or shows a contact that breaks one.

Nothing that runs in service imports it, and its solver is an optional package. A counterexample is shown only after
``decide`` has come to the same result on it.
"""
