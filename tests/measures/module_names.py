"""Decides whether a module's name is a noun, by lists: a name that no list objects to is taken for one."""

from __future__ import annotations

import re

from tests.measures.source import Module
from tests.measures.verbs import word_set

NOUNS_IN_ING = word_set("finding landing routing scheduling setting string thing timing warning wording")
NOUNS_IN_ED = word_set("feed need seed speed")
RELATIONS = word_set(
    "about above after against along among around as at because before behind below beneath beside besides"
    " between beyond by during every for from goes here in into not of off on onto out outside over since there"
    " through to together toward under until up upon very when where while with within without"
)
"""Prepositions and adverbs: they make no noun, whatever follows."""
QUALITIES = word_set(
    "bound due eligible found gone known last live lost made new old once own plain recent shown stuck taken told"
    " used vital written"
)
"""Participles and adjectives: right before a noun ("live_check"), wrong by themselves."""
VERBS = word_set(
    "act ask bind choose compile compose decide enforce explain fetch find follow furnish get give go govern keep"
    " know load locate look make notify observe open parse perform pick prove put read recover remove send serve"
    " settle start stop tell think watch write"
)
RIGHT = {
    "act_loop": "the loop that acts: the noun is the loop",
    "compose": "the composition root: the design names the module by this word",
    "bound": "the rules bound to an instance: the design names the module by this word",
    "once": "one pass of the service: named like the option --once",
}
"""Module names that a list objects to although they are right, each with the reason."""


def objection(module: Module) -> str | None:
    """Returns why the name is no noun, ``None`` if it is one.

    A verb is right if the module defines a function that begins with it, or is a command: the verb is what it does.
    """
    name = module.path.stem
    if name.startswith("__") or name in RIGHT or _is_command(module):
        return None
    words = name.split("_")
    if words[0] in RELATIONS:
        return f"{name} begins with a preposition or an adverb, so it is no noun"
    if words[-1] in QUALITIES or words[-1] in RELATIONS:
        return f"{name} is no noun"
    if words[0] in VERBS and not _defines(module, words[0]):
        return f"{name} is a verb, and no function of the module begins with it"
    if re.search(r"..ing$", words[-1]) and words[-1] not in NOUNS_IN_ING:
        return f"{name} is a participle, no noun"
    if re.search(r"..ed$", words[-1]) and words[-1] not in NOUNS_IN_ED:
        return f"{name} is a participle, no noun"
    return None


def _defines(module: Module, verb: str) -> bool:
    return any(re.match(rf"_*{verb}(_|$)", function.name) for function in module.functions)


def _is_command(module: Module) -> bool:
    return "cli" in module.path.parts and {"run", "configure"} <= {function.name for function in module.functions}
