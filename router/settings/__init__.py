"""config.toml, the environment and the command line as one frozen, checked value."""

from router.settings.load import load_settings, usual_config
from router.settings.model import Settings
from router.settings.quotas import DOCUMENTED_QUOTAS, Quota
from router.settings.schema import settings_schema

__all__ = ["DOCUMENTED_QUOTAS", "Quota", "Settings", "load_settings", "settings_schema", "usual_config"]
