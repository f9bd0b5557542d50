"""Binds the rules in force to the ids of the instance, and retains the directory that they were bound with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from router import events
from router.connect.answers import Failure
from router.model import Directory, QueueId
from router.news import NewsFilter
from router.ports import Instance
from router.rules.bind import bind, mentions_agents, mentions_hours
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.rule import RuleSet


@dataclass(kw_only=True)
class BoundRules:
    """Holds the rules in force; ``refresh`` reads the instance's lists again.

    A binding stays in force until the rules are loaded again, whatever happens to the name. A name that was missing is
    bound as soon as the instance has it.
    """

    instance: Instance
    ruleset: RuleSet
    directory: Directory = field(default_factory=Directory)
    rules: BoundRuleSet = field(init=False)
    _unresolved_news: NewsFilter[str] = field(default_factory=NewsFilter)
    _changes_news: NewsFilter[tuple[str, str]] = field(default_factory=NewsFilter)
    _replacing: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.rules = BoundRuleSet(rules=(), revision=self.ruleset.revision)

    @property
    def agents_named(self) -> bool:
        return mentions_agents(self.ruleset)

    @property
    def unresolved(self) -> list[str]:
        """Returns a located line for each name that the instance lacks, as far as its names were read."""
        return [str(one) for rule in self.rules.rules for one in rule.unresolved]

    def load(self) -> Failure | None:
        """Binds everything for the first time. A failure changes nothing."""
        return self._read(lambda old, new: new)

    def refresh(self) -> Failure | None:
        """Reads the lists again and binds the names that were missing. A failure changes nothing."""
        return self._read(self._keep_bound)

    def replace_rules(self, ruleset: RuleSet) -> None:
        """Binds rules that were loaded again, in one step, to the directory as last read.

        If the new rules name agents or hours and the old ones did not, the directory is read again. Names that cannot
        be read now are bound by a later ``refresh``.
        """
        directory = self._with_more(ruleset)
        with self._replacing:
            self.ruleset, self.directory = ruleset, directory or self.directory
            self.rules = bind(ruleset, self.directory, agents_known=self.agents_named)
            self._changes_news.keep_only(())
            self._log_unresolved()

    def _with_more(self, ruleset: RuleSet) -> Directory | None:
        """Returns a directory with agents or hours; ``None`` if these rules need no more than was read, or if it cannot
        be read."""
        agents, hours = mentions_agents(ruleset), mentions_hours(ruleset)
        if (not agents or self.agents_named) and (not hours or mentions_hours(self.ruleset)):
            return None
        answer = self.instance.directory(with_agents=agents, with_hours=hours)
        return answer if isinstance(answer, Directory) else None

    def _read(self, merge: Callable[[BoundRuleSet, BoundRuleSet], BoundRuleSet]) -> Failure | None:
        with_agents = self.agents_named
        answer = self.instance.directory(with_agents=with_agents, with_hours=mentions_hours(self.ruleset))
        if not isinstance(answer, Directory):
            return answer
        with self._replacing:  # a reload while the lists were read must not be undone by what was bound before it
            self.directory = answer
            self.rules = merge(self.rules, bind(self.ruleset, answer, agents_known=with_agents))
            self._log_unresolved()
        return None

    def _keep_bound(self, old: BoundRuleSet, new: BoundRuleSet) -> BoundRuleSet:
        by_name = {rule.name: rule for rule in old.rules}
        kept = tuple(self._kept(by_name.get(rule.name), rule) for rule in new.rules)
        merged = BoundRuleSet(rules=kept, revision=new.revision, queue_ids=_united(old, new))
        same = len(kept) == len(old.rules) and all(one is other for one, other in zip(kept, old.rules, strict=True))
        if same and (merged.revision, merged.queue_ids) == (old.revision, old.queue_ids):
            return old  # the same object, by which others see that nothing has changed
        return merged

    def _kept(self, old: BoundRule | None, new: BoundRule) -> BoundRule:
        if old is None or old.unresolved:
            if old is not None and not new.unresolved:
                self._log_changed(new, "every name of the rule exists now")
            return new
        if new.fingerprint != old.fingerprint:
            change = "; ".join(str(line) for line in new.unresolved) or "a name of the rule means another id now"
            self._log_changed(new, f"{change}; the old ids stay in force until a reload")
        return old

    def _log_changed(self, rule: BoundRule, message: str) -> None:
        """Logs a change of a name once, and not each time that the names are read."""
        if self._changes_news.is_news((rule.name, message)):
            events.log_directory_changed(rule=rule.name, message=message)

    def _log_unresolved(self) -> None:
        lines = frozenset(str(line) for rule in self.rules.rules for line in rule.unresolved)
        for line in sorted(lines):
            if self._unresolved_news.is_news(line):
                events.log_rules_unresolved(line)
        self._unresolved_news.keep_only(lines)


def _united(old: BoundRuleSet, new: BoundRuleSet) -> frozenset[QueueId] | None:
    if old.queue_ids is None or new.queue_ids is None:
        return None
    return old.queue_ids | new.queue_ids
