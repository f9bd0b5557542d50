"""Reads config.toml, the environment and the command line as one frozen, checked value."""

from router.settings.load import load_settings, usual_config
from router.settings.model import Settings
from router.settings.quotas import DOCUMENTED_QUOTAS, Quota

__all__ = ["DOCUMENTED_QUOTAS", "Quota", "Settings", "load_settings", "usual_config"]
