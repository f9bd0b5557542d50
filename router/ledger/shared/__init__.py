"""One ledger for several routers: a log in a DynamoDB table, and a copy of what it comes to in each of them."""
