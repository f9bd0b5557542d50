"""Stores the last rules that loaded, for the day on which the present ones do not."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from router import events
from router.problems import Problem, Problems
from router.rules.load import parse_rules
from router.rules.rule import RuleSet
from router.settings import Settings

NAME = "last-good-rules.json"


@dataclass(frozen=True, slots=True)
class LastGoodRules:
    """Stores rules in one file, which is replaced whole: a crash leaves the old one or the new one."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> LastGoodRules:
        return cls(settings.state_folder / NAME)

    def keep(self, rules: RuleSet) -> None:
        """Stores the rules. A disk that refuses them is logged, and is no reason to refuse rules."""
        try:
            self._write(rules)
        except OSError as error:
            events.log_rules_not_kept(f"{self.path}: {error.strerror or error}")

    def load(self) -> RuleSet:
        """Loads the stored rules. Raises ``Problems`` if there are none, or if the file is damaged."""
        try:
            kept = json.loads(self.path.read_bytes())
            sources = [(str(name), str(text).encode()) for name, text in kept["files"]]
            revision = kept["revision"]
        except FileNotFoundError:
            raise Problems([Problem(str(self.path), 0, 0, "no rules were kept: none has run here yet")]) from None
        except OSError as error:
            raise Problems([Problem(str(self.path), 0, 0, f"cannot be read: {error.strerror}")]) from None
        except (ValueError, KeyError, TypeError):
            raise Problems([Problem(str(self.path), 0, 0, "damaged: this is not what was kept")]) from None
        rules = parse_rules(sources)
        if rules.revision != revision:
            raise Problems([Problem(str(self.path), 0, 0, "damaged: the revision is not that of the files in it")])
        return rules

    def _write(self, rules: RuleSet) -> None:
        files = [[name, data.decode()] for name, data in rules.sources]
        text = json.dumps({"revision": rules.revision, "files": files}, indent=1)
        new = self.path.with_name(f".{self.path.name}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)
