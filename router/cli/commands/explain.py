"""Explains why a contact is, or is not, moved: the command ``explain``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from router.cli.context import load_both, own_contact, print_note, whole_contact
from router.cli.errors import DONE, FOUND
from router.cli.output import explanation, records
from router.cli.output.tables import console, instant, print_json, print_lines, text
from router.cli.parser import add_json, add_mode, contact_id
from router.cli.resources import in_one_line, unreachable, without_log
from router.cli.running_service import RunningService, running_service
from router.connect.client import Unreachable
from router.decide.decide import Account
from router.inspect.preview import Preview, Sighting, Viewer
from router.lookup.id_prefix import is_whole
from router.lookup.locate import Located, locate
from router.model import Action, Contact, ContactId, Directory, Standing
from router.resources import read_ledger
from router.rules.rule import RuleSet
from router.settings import Settings

DESCRIPTION = """\
Shows for one contact the rules that were tried, every condition with the value read, the clock's arithmetic, every
destination with the reason why it was or was not eligible, the decision, and the ledger's records. Give any id of the
chain. The output contains customers' values. If the contact is gone, or Connect cannot be reached, only the ledger's
records are shown. If the service runs, its mode counts. Changes nothing. Exits 1 if nothing is known of the contact."""
EXAMPLE = """\
  connect-router explain 40797c0d-b39b-44e9-b624-06a0162ef271
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("contact_id", metavar="CONTACT_ID", type=contact_id, help="any id of the chain")
    add_json(parser)
    add_mode(parser, pretended=True)


def run(arguments: argparse.Namespace) -> int:
    settings, ruleset = load_both(arguments)
    contact_id = own_contact(arguments.contact_id, settings)
    service = running_service(arguments, settings)
    if service.origin and not arguments.quiet:
        print_note(f"mode {service.mode}{service.origin}; the configuration has {settings.execute.mode}")
    with in_one_line():
        account, preview, located = _look(settings, ruleset, contact_id, service, quiet=arguments.quiet)
        actions = _recorded(settings, located)
    directory = preview.directory if preview is not None else Directory()
    if arguments.json:
        _print_json(account, preview, actions, directory, located)
    else:
        _print(account, preview, actions, directory, located)
    if account is None and not actions:
        print_note(f"nothing is known of contact {contact_id}")
        return FOUND
    return DONE


def _look(
    settings: Settings, ruleset: RuleSet, contact_id: ContactId, service: RunningService, *, quiet: bool
) -> tuple[Account | None, Preview | None, Located]:
    """Decides on the contact. Returns ``None`` twice if Connect cannot be read, or does not know the contact."""
    without_log()
    try:
        viewer = Viewer.open(settings, ruleset, mode=service.mode, reported=service.waiting)
    except Unreachable as problem:
        print_note(f"connect-router: {problem}; from the ledger alone:")
        with read_ledger(settings) as ledger:
            return None, None, Located(ids=(whole_contact(contact_id, ledger),))
    with viewer:
        sighting = None if is_whole(contact_id) else viewer.search()
        known = sighting.contact_ids if isinstance(sighting, Sighting) else ()
        contact_id = whole_contact(contact_id, viewer.ledger, known)
        located = locate(contact_id, reader=viewer.connection.reader, ledger=viewer.ledger)
        if located.contact is None:
            if located.failure is not None:
                failed = unreachable(located.failure, settings, viewer.connection.endpoint)
                print_note(f"{failed.lines[0]}; from the ledger alone:")
            return None, None, located
        contact = _as_if_resumed(located.contact, viewer.clock.now())
        sighting = sighting or viewer.search()
        if not isinstance(sighting, Sighting):
            failed = unreachable(sighting, settings, viewer.connection.endpoint)
            print_note(f"{failed.lines[0]}; from the ledger alone:")
            return None, None, located
        service.note_search(searched=sighting.searched, quiet=quiet)
        preview = viewer.decide(sighting, extra=(contact,))
        if not preview.complete:
            print_note("the search could not be read to its end: what others use up is not all known")
        return preview.account(located.contact.id), preview, located


def _as_if_resumed(contact: Contact, now: datetime) -> Contact:
    """Returns a paused contact as if it were resumed now.

    No rule acts on a paused contact. Users want to know what happens when it is resumed."""
    if contact.standing(now) is not Standing.PAUSED or contact.queue_id is None or contact.details is None:
        return contact
    print_note(f"contact {contact.id} is paused: nothing is done to it; what follows is as if it were resumed now")
    return replace(contact, details=replace(contact.details, resumed_at=now))


def _recorded(settings: Settings, located: Located) -> tuple[Action, ...]:
    with read_ledger(settings) as ledger:
        recorded = located.recorded_id(ledger)
        return ledger.history(contact_id=recorded) if recorded is not None else ()


def _print(
    account: Account | None,
    preview: Preview | None,
    actions: tuple[Action, ...],
    directory: Directory,
    located: Located,
) -> None:
    lines: list[str] = []
    if located.contact is not None and located.ids and located.ids[0] != located.contact.id:
        lines.append(f"{located.ids[0]} was moved; now {located.contact.id}")
    if account is not None and preview is not None:
        lines += explanation.lines(account, preview)
    if actions:
        lines += ["", "in the ledger", *_record_lines(actions, directory)]
    elif account is not None:
        lines += ["", "in the ledger: nothing"]
    print_lines(map(text, lines), console())


def _record_lines(actions: Iterable[Action], directory: Directory) -> Iterable[str]:
    for action in actions:
        result = f"{records.did(action, directory)}, {records.outcome(action, directory)}"
        yield f"  {instant(action.decided_at)}  {action.rule}, step {action.step}: {result}"


def _print_json(
    account: Account | None,
    preview: Preview | None,
    actions: tuple[Action, ...],
    directory: Directory,
    located: Located,
) -> None:
    looked = explanation.as_json(account, preview) if account is not None and preview is not None else None
    given = located.ids[0] if located.ids else None
    recorded = [records.as_json(action, directory) for action in actions]
    print_json({"given_id": given, "look": looked, "ledger": recorded})
