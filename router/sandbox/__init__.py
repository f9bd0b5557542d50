"""Simulates the Amazon Connect API on this machine, for any unmodified AWS SDK.

It follows Connect's documented rules, has switches for its undocumented behaviours (``Behaviours``), and fails on
request (``Fault``). The product is tested against it, and users try their rule files in it before production. Nothing
here imports the router's own rules, decisions or ledger.
"""

from router.sandbox.behaviours import Behaviours
from router.sandbox.calls import Call
from router.sandbox.contact_events import EventTraps
from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import Identity
from router.sandbox.faults import Fault, Refusal
from router.sandbox.flow_outcome import FlowOutcome
from router.sandbox.instance import Override, Working
from router.sandbox.quotas import CallRate
from router.sandbox.sandbox import Sandbox
from router.sandbox.scenario import Scenario
from router.sandbox.serve import greeting, serve
from router.sandbox.transfer import MadeTransfer
from router.sandbox.world import World

__all__ = [
    "Behaviours",
    "Call",
    "CallRate",
    "EventTraps",
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
