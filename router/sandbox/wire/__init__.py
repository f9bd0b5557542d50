"""Reads and writes the REST-JSON protocol of Amazon Connect, by botocore's own service model.

It also has the two calls of Amazon SNS that the router makes.
"""
