"""Shares one ledger between several routers: a log in a DynamoDB table, and a copy of its result in each router."""
