"""Moves waiting Amazon Connect tasks and e-mails before they break their service level."""

__version__ = "0.1.0"
