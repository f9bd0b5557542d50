"""Reports contacts that wait in an agent's own queue while that agent takes no contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from router import events
from router.model import Action, ContactId, Directory, Landing
from router.news import NewsFilter
from router.ports import Clock, Instance


@dataclass(kw_only=True)
class StrandedContacts:
    """Logs each contact that has waited for an agent longer than ``timeout`` while the agent is not routable.

    It is a warning once, and an error once when the promise to the contact is broken. A later step still moves it.
    """

    instance: Instance
    clock: Clock
    timeout: timedelta
    _news: NewsFilter[int] = field(default_factory=NewsFilter)

    def report(self, followed: Iterable[Action], directory: Directory, *, is_late: Callable[[ContactId], bool]) -> None:
        """Reads the agents that contacts have waited for too long, one call for a hundred, and logs what is stranded.

        Nothing is logged of agents whose state cannot be read.
        """
        waiting = [one for one in followed if self._waits_too_long(one)]
        agents = {one.target.agent_id for one in waiting if one.target is not None and one.target.agent_id is not None}
        states = self.instance.agent_states(agents) if agents else {}
        if not isinstance(states, Mapping):
            return
        routable = {agent_id for agent_id, state in states.items() if state.routable}
        stranded = [move for move in waiting if move.target is not None and move.target.agent_id not in routable]
        for move in stranded:
            late = is_late(move.new_contact_id or move.contact_id)
            if self._news.is_news(move.id, late):
                events.log_stranded(move, directory, after=self._waits_for(move), late=late)
        self._news.keep_only({move.id for move in stranded})

    def _waits_too_long(self, move: Action) -> bool:
        return move.landing is Landing.AT_AGENT and self._waits_for(move) >= self.timeout

    def _waits_for(self, move: Action) -> timedelta:
        return self.clock.now() - (move.landed_at or move.decided_at)
