"""Holds what commands look at without a running service: previews, live checks, the IAM policy, undo plans.

The service never imports this package.
"""
