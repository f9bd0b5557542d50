"""The only package that knows AWS: client, parsing, quotas, search, metrics, directory of names, transfer."""
