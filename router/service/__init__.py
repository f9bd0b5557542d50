"""The running daemon: schedule, cycle, execution, follow-up."""
