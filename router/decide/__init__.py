"""What to do with each contact now, and why: pure functions over frozen values."""
