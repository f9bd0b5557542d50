"""Finds out by experiments how a test instance behaves in questions that AWS leaves open.

Everything that it makes has a prefix and a tag, and is removed at the end. What it finds out is an instance profile, in
the words of the sandbox's switches. The service never imports this package.
"""
