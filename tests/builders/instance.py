"""Builds a small instance: four queues and an agent's own, three agents, a flow for queues and two for agents."""

from router.model import (
    Agent,
    AgentId,
    AgentState,
    Directory,
    Flow,
    FlowId,
    FlowType,
    Queue,
    QueueId,
    QueueMetrics,
    Target,
)

BILLING, OVERFLOW = QueueId("id-of-billing"), QueueId("id-of-overflow")
GENERAL, SUPERVISORS = QueueId("id-of-general"), QueueId("id-of-supervisors")
QUEUES = {"Billing": BILLING, "Overflow": OVERFLOW, "General": GENERAL, "Supervisors": SUPERVISORS}
NAMES = {queue_id: name for name, queue_id in QUEUES.items()}

ANN, BOB = AgentId("id-of-ann"), AgentId("id-of-bob")
ANNS_QUEUE = QueueId("agent/id-of-ann")
TO_QUEUE, TO_AGENT, ANOTHER_FLOW = FlowId("flow-to-queue"), FlowId("flow-to-agent"), FlowId("flow-another")

DIRECTORY = Directory(
    queues=(
        *(Queue(id=queue_id, name=name) for name, queue_id in QUEUES.items()),
        Queue(id=ANNS_QUEUE, name="", agent_id=ANN),
    ),
    agents=(Agent(id=ANN, name="ann"), Agent(id=BOB, name="bob")),
    flows=(
        Flow(id=TO_QUEUE, name="To queue", type=FlowType.QUEUE_TRANSFER),
        Flow(id=TO_AGENT, name="To agent", type=FlowType.AGENT_TRANSFER),
        Flow(id=ANOTHER_FLOW, name="Another", type=FlowType.INBOUND),
    ),
)


def to(queue_id: QueueId, flow: FlowId = TO_QUEUE) -> Target:
    return Target(flow_id=flow, queue_id=queue_id)


def to_agent(agent_id: AgentId) -> Target:
    return Target(flow_id=TO_AGENT, agent_id=agent_id)


def metrics(slots: int = 0, waiting: int = 0, **others: object) -> QueueMetrics:
    return QueueMetrics(slots_available=slots, contacts_in_queue=waiting, **others)  # type: ignore[arg-type]


def free(slots: int = 1, channel: str = "TASK") -> AgentState:
    return AgentState(routable=True, slots_available={channel: slots})


AWAY = AgentState(routable=False, slots_available={"TASK": 3})
