"""A local stand-in for the Amazon Connect API: any unmodified AWS SDK can talk to it.

It keeps Connect's documented rules, shows its undocumented behaviours by switches (``Behaviours``), and breaks on order
(``Fault``). It is the product's own test bed, and its users': rule files can be tried in it before production.
"""

from router.sandbox.behaviours import Behaviours
from router.sandbox.contacts import SandboxContact
from router.sandbox.faults import Fault
from router.sandbox.identity import Identity
from router.sandbox.instance import FlowOutcome, Override, Working
from router.sandbox.quotas import CallRate
from router.sandbox.refusal import Refusal
from router.sandbox.sandbox import Call, Sandbox
from router.sandbox.scenario import Scenario
from router.sandbox.serve import greeting, serve
from router.sandbox.transfer import MadeTransfer
from router.sandbox.world import World

__all__ = [
    "Behaviours",
    "Call",
    "CallRate",
    "Fault",
    "FlowOutcome",
    "Identity",
    "MadeTransfer",
    "Override",
    "Refusal",
    "Sandbox",
    "SandboxContact",
    "Scenario",
    "Working",
    "World",
    "greeting",
    "serve",
]
