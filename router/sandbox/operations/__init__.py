"""Responds to each operation of the API from the state of the world."""

from __future__ import annotations

from collections.abc import Mapping

from router.sandbox.operations import (
    contact_calls,
    instance_calls,
    metric_calls,
    resource_calls,
    search_calls,
    user_calls,
)
from router.sandbox.operations.call import Handler

OPERATIONS: Mapping[str, Handler] = {
    "AssociateContactWithUser": contact_calls.associate_contact_with_user,
    "CreateContactFlow": resource_calls.create_contact_flow,
    "CreateHoursOfOperation": resource_calls.create_hours_of_operation,
    "CreateHoursOfOperationOverride": resource_calls.create_hours_of_operation_override,
    "CreateQueue": resource_calls.create_queue,
    "DeleteContactFlow": resource_calls.delete_contact_flow,
    "DeleteHoursOfOperation": resource_calls.delete_hours_of_operation,
    "DeleteQueue": resource_calls.delete_queue,
    "DescribeContact": contact_calls.describe_contact,
    "DescribeContactFlow": instance_calls.describe_contact_flow,
    "DescribeHoursOfOperation": instance_calls.describe_hours_of_operation,
    "DescribeInstance": instance_calls.describe_instance,
    "DescribeQueue": instance_calls.describe_queue,
    "DescribeRoutingProfile": user_calls.describe_routing_profile,
    "DescribeUser": user_calls.describe_user,
    "GetContactAttributes": contact_calls.get_contact_attributes,
    "GetContactMetrics": metric_calls.get_contact_metrics,
    "GetCurrentMetricData": metric_calls.get_current_metric_data,
    "GetCurrentUserData": user_calls.get_current_user_data,
    "GetEffectiveHoursOfOperations": instance_calls.get_effective_hours_of_operations,
    "ListAgentStatuses": user_calls.list_agent_statuses,
    "ListAssociatedContacts": contact_calls.list_associated_contacts,
    "ListContactFlows": instance_calls.list_contact_flows,
    "ListHoursOfOperations": instance_calls.list_hours_of_operations,
    "ListQueues": instance_calls.list_queues,
    "ListRoutingProfileQueues": user_calls.list_routing_profile_queues,
    "ListUsers": user_calls.list_users,
    "PauseContact": contact_calls.pause_contact,
    "ResumeContact": contact_calls.resume_contact,
    "SearchContacts": search_calls.search_contacts,
    "SearchEmailAddresses": instance_calls.search_email_addresses,
    "SearchQueues": instance_calls.search_queues,
    "SearchRoutingProfiles": user_calls.search_routing_profiles,
    "SearchUsers": user_calls.search_users,
    "StartEmailContact": contact_calls.start_email_contact,
    "StartTaskContact": contact_calls.start_task_contact,
    "StopContact": contact_calls.stop_contact,
    "TagContact": contact_calls.tag_contact,
    "TransferContact": contact_calls.transfer_contact,
    "UpdateContactFlowMetadata": resource_calls.update_contact_flow_metadata,
    "UpdateContactRoutingData": contact_calls.update_contact_routing_data,
    "UpdateHoursOfOperation": resource_calls.update_hours_of_operation,
}
"""The operations that the sandbox offers. It refuses any other of the service model by name."""
