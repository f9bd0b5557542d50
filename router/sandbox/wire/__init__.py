"""The REST-JSON protocol of Amazon Connect, both directions, from botocore's own service model."""
