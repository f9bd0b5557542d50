"""Checks what a command prints of the service's reply."""

from router.cli.service_client import print_under_way


def test_calls_that_a_change_does_not_stop_are_printed_one_a_line(capsys):
    print_under_way({"under_way": [{"operation": "TransferContact", "contact_id": "c1"}]})
    assert capsys.readouterr().out == (
        "still under way: TransferContact of contact c1; it began before this change, and may still take effect\n"
    )


def test_nothing_is_printed_if_no_call_is_under_way_or_an_older_service_replies(capsys):
    print_under_way({"under_way": []})
    print_under_way({})
    assert capsys.readouterr().out == ""
