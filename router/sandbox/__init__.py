"""A local stand-in for the Amazon Connect API: any unmodified AWS SDK can talk to it.

It keeps Connect's documented rules, shows its undocumented behaviours by switches (``Behaviours``), and breaks on order
(``Fault``). It is the product's own test bed, and its users': rule files can be tried in it before production.
"""

from router.sandbox.behaviours import Behaviours
from router.sandbox.contacts import Contact
from router.sandbox.faults import Fault
from router.sandbox.identity import Identity
from router.sandbox.instance import Outcome, Override, Working
from router.sandbox.quotas import Rate
from router.sandbox.refusal import Refusal
from router.sandbox.sandbox import Call, Sandbox
from router.sandbox.scenario import Scenario
from router.sandbox.serve import greeting, serve
from router.sandbox.transfer import Transfer
from router.sandbox.world import World

__all__ = [
    "Behaviours",
    "Call",
    "Contact",
    "Fault",
    "Identity",
    "Outcome",
    "Override",
    "Rate",
    "Refusal",
    "Sandbox",
    "Scenario",
    "Transfer",
    "Working",
    "World",
    "greeting",
    "serve",
]
