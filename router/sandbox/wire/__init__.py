"""Reads and writes the REST-JSON protocol of Amazon Connect, by botocore's own service model."""
