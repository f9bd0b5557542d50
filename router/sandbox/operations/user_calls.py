"""Responds to the calls about users, agent statuses and routing profiles."""

from __future__ import annotations

from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import CHANNELS, STATUS
from router.sandbox.faults import invalid_parameter
from router.sandbox.instance import AVAILABLE, OFFLINE, Profile, User
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.operations.contact_rows import queue_reference


def list_users(call: OperationCall) -> Result:
    return call.rows(
        "UserSummaryList",
        call.state.register.users.values(),
        lambda user: {"Id": user.id, "Arn": user.arn, "Username": user.name, **call.modified(user)},
    )


def describe_user(call: OperationCall) -> Result:
    user = call.one(call.state.register.users, call.params["UserId"], "User")
    return {"User": {**_user(user), **call.modified(user)}}


def search_users(call: OperationCall) -> Result:
    found = call.searched(
        call.state.register.users.values(),
        lambda user: {"Username": user.name, "FirstName": user.first_name, "LastName": user.last_name},
    )
    return call.rows("Users", found, _user, total="ApproximateTotalCount")


def describe_routing_profile(call: OperationCall) -> Result:
    profile = call.one(call.state.register.profiles, call.params["RoutingProfileId"], "Routing profile")
    return {"RoutingProfile": _profile(call, profile)}


def search_routing_profiles(call: OperationCall) -> Result:
    found = call.searched(call.state.register.profiles.values(), lambda profile: {"name": profile.name})
    return call.rows("RoutingProfiles", found, lambda one: _profile(call, one), total="ApproximateTotalCount")


def _profile(call: OperationCall, profile: Profile) -> Result:
    users = [user for user in call.state.register.users.values() if user.profile_id == profile.id]
    queue_ids = list(dict.fromkeys(each.queue_id for each in profile.queues))
    behaviour = {"any": "ROUTE_ANY_CHANNEL", "current": "ROUTE_CURRENT_CHANNEL_ONLY"}
    cross = behaviour.get(call.world.behaviours.cross_channel)
    others = {"CrossChannelBehavior": {"BehaviorType": cross}} if cross else {}
    return {
        "InstanceId": call.world.identity.instance_id,
        "Name": profile.name,
        "RoutingProfileArn": profile.arn,
        "RoutingProfileId": profile.id,
        "MediaConcurrencies": [
            {"Channel": channel, "Concurrency": slots, **others} for channel, slots in profile.slots.items()
        ],
        "DefaultOutboundQueueId": queue_ids[0] if queue_ids else None,
        "NumberOfAssociatedQueues": len(queue_ids),
        "NumberOfAssociatedUsers": len(users),
        "AssociatedQueueIds": queue_ids,
        **call.modified(profile),
    }


def list_routing_profile_queues(call: OperationCall) -> Result:
    profile = call.one(call.state.register.profiles, call.params["RoutingProfileId"], "Routing profile")
    queues = call.state.register.queues
    return call.rows(
        "RoutingProfileQueueConfigSummaryList",
        [each for each in profile.queues if each.queue_id in queues],
        lambda each: {
            "QueueId": each.queue_id,
            "QueueArn": queues[each.queue_id].arn,
            "QueueName": queues[each.queue_id].name,
            "Priority": each.priority,
            "Delay": each.delay_s,
            "Channel": each.channel,
        },
    )


def list_agent_statuses(call: OperationCall) -> Result:
    """Lists the two statuses of every instance, and those in use. Only Available takes contacts."""
    types = {AVAILABLE: "ROUTABLE", OFFLINE: "OFFLINE"}
    for user in call.state.register.users.values():
        types.setdefault(user.status, "CUSTOM")
    wanted = call.params.get("AgentStatusTypes")
    names = [name for name, type in types.items() if not wanted or type in wanted]
    return call.rows("AgentStatusSummaryList", names, lambda name: _status(call, name, types[name]))


def _status(call: OperationCall, name: str, type: str) -> Result:
    identity = call.world.identity
    status_id = identity.id_of(STATUS, name)
    return {"Id": status_id, "Arn": identity.arn_of(STATUS, status_id), "Name": name, "Type": type}


def get_current_user_data(call: OperationCall) -> Result:
    """Returns a row for each agent who is logged in. An offline agent has no row."""
    states = (call.params["Filters"].get("ContactFilter") or {}).get("ContactStates")
    there = [user for user in _filtered(call) if user.status != OFFLINE]
    return call.rows("UserDataList", there, lambda user: _user_data(call, user, states), total="ApproximateTotalCount")


def _filtered(call: OperationCall) -> list[User]:
    """Filters users by exactly one of queues, routing profiles and agents (API_GetCurrentUserData)."""
    filters, register = call.params["Filters"], call.state.register
    given = [name for name in ("Queues", "RoutingProfiles", "Agents", "UserHierarchyGroups") if filters.get(name)]
    if len(given) != 1:
        raise invalid_parameter("Exactly one of Queues, RoutingProfiles, Agents and UserHierarchyGroups must be given")
    if given == ["UserHierarchyGroups"]:
        raise invalid_parameter("the sandbox has no hierarchy groups")
    users = list(register.users.values())
    if given == ["Agents"]:
        wanted = {user.id for user in call.listed(register.users, filters["Agents"], "User")}
        return [user for user in users if user.id in wanted]
    if given == ["RoutingProfiles"]:
        chosen = {call.one(register.profiles, each, "Routing profile").id for each in filters["RoutingProfiles"]}
        return [user for user in users if user.profile_id in chosen]
    queues = {call.one(register.queues, each, "Queue").id for each in filters["Queues"]}
    return [user for user in users if queues & {each.queue_id for each in register.profile_of(user).queues}]


def _user_data(call: OperationCall, user: User, states: list[str] | None) -> Result:
    profile = call.state.register.profile_of(user)
    moment = call.now - call.world.behaviours.metrics_lag
    held = [each for each in call.state.contacts.live_at(moment) if each.agent_id == user.id]
    used = {channel: sum(each.channel == channel for each in held) for channel in CHANNELS}
    slots = {channel: profile.slots.get(channel, 0) for channel in CHANNELS}
    alone = call.world.behaviours.cross_channel == "current"
    busy = {channel for channel in CHANNELS if alone and used[channel] < len(held)} if user.routable else set(CHANNELS)
    free = {channel: 0 if channel in busy else max(slots[channel] - used[channel], 0) for channel in CHANNELS}
    status_id = call.world.identity.id_of(STATUS, user.status)
    return {
        "User": {"Id": user.id, "Arn": user.arn},
        "RoutingProfile": {"Id": profile.id, "Arn": profile.arn},
        "Status": {
            "StatusStartTimestamp": user.status_since,
            "StatusArn": call.world.identity.arn_of(STATUS, status_id),
            "StatusName": user.status,
        },
        "AvailableSlotsByChannel": free,
        "MaxSlotsByChannel": slots,
        "ActiveSlotsByChannel": used,
        "Contacts": [_at_agent(call, each) for each in held if not states or "CONNECTED" in states],
    }


def _at_agent(call: OperationCall, contact: SandboxContact) -> Result:
    queue = call.state.register.queues.get(contact.queue_id or "")
    return {
        "ContactId": contact.id,
        "Channel": contact.channel,
        "InitiationMethod": contact.life.initiation_method,
        "AgentContactState": "CONNECTED",
        "StateStartTimestamp": contact.connected_at,
        "ConnectedToAgentTimestamp": contact.connected_at,
        "Queue": {"Id": queue_reference(call.state, queue), "Arn": queue.arn} if queue else None,
    }


def _user(user: User) -> Result:
    return {
        "Id": user.id,
        "Arn": user.arn,
        "Username": user.name,
        "IdentityInfo": {"FirstName": user.first_name, "LastName": user.last_name},
        "RoutingProfileId": user.profile_id,
    }
