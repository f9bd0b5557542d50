"""Follows moved contacts until they are queued, answered or ended, and restores their place in the queue."""
