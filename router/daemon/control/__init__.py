"""Holds the control socket, through which commands talk to a running service."""
