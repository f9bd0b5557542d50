"""The control socket: how commands talk to the service that runs."""
