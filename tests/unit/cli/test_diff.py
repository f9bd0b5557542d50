"""Checks the command ``diff``: the rules that differ, and the contacts on which two rule sets act differently."""

import json
import sys

import pytest

from router.runtime import install_command

OTHER = """
[[rule]]
name = "never"
match.tags.t = "x"
"""


def other(command, change):
    folder = command.folder / "other"
    folder.mkdir(exist_ok=True)
    (folder / "10-late.toml").write_text(change(command.rules.read_text()))
    return str(command.rules), str(folder)


def test_equal_rules_are_proved_the_same(command):
    sets = other(command, lambda text: f"# a comment\n{text}")

    done = command("diff", *sets, "--prove")

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == "A and B have the same rules"
    assert done.out.splitlines()[1].startswith("proved the same: ")


def test_a_renamed_rule_is_another_rule_that_does_the_same(command):
    sets = other(command, lambda text: text.replace('"late"', '"slow"'))

    plain, proved = command("diff", *sets), command("diff", *sets, "--prove")

    assert plain.status == 1
    lines = [line.partition(" (")[0] for line in plain.out.splitlines()]
    assert lines == ["removed: rule 'late'", "added: rule 'slow'"]
    assert (proved.status, "proved the same" in proved.out) == (0, True)


def test_a_class_of_contacts_is_shown_with_rule_step_and_times(command):
    sets = other(command, lambda text: text.replace('target = "1h"', 'target = "40m"'))

    done = command("diff", *sets, "--prove")

    assert done.status == 1
    found = [line for line in done.out.splitlines() if line.startswith("B ")]
    assert [line.partition(" (rule")[0] for line in found] == [
        "B warns about EMAIL in Billing from 20m; A from 30m",
        "B moves EMAIL in Billing to Overflow or General from 40m; A from 1h",
    ]
    assert "changed: rule 'late'" in done.out


def test_json_has_rules_and_contacts(command):
    sets = other(command, lambda text: text + OTHER)

    told = json.loads(command("diff", *sets, "--prove", "--json").out)

    assert told["rules"][0].startswith("added: rule 'never'")
    assert told["contacts"] == []


def test_without_the_solver_rules_are_compared_and_one_line_shows_the_remedy(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    sets = other(command, lambda text: text + OTHER)

    assert command("diff", *sets).out.startswith("added: rule 'never'")
    assert command("diff", *sets, "--prove").err == (
        f"connect-router: --prove needs the package z3-solver: {install_command('z3-solver')}\n"
    )


def test_a_rule_that_nothing_holds_does_not_give_way(command):
    first = """
    [defaults]
    flow = "F"
    [[rule]]
    name = "first"
    on_hold = "next"
    match = { queue = "A", name = { present = true } }
    step = [{ at = "5m", to = [{ queue = "B" }] }]
    """
    second = """
    [[rule]]
    name = "second"
    match = { queue = "A", name = { present = true } }
    step = [{ at = "10m", to = [{ queue = "%s" }] }]
    """
    command.rules.write_text(first + second % "C")

    same = command("diff", *other(command, lambda text: text.replace('"C"', '"D"')), "--prove")
    conditional = 'queue = "B", slots_available = { min = 1 } }'
    command.rules.write_text(command.rules.read_text().replace('queue = "B" }', conditional))
    differs = command("diff", *other(command, lambda text: text.replace('"C"', '"D"')), "--prove")

    assert (same.status, differs.status) == (0, 1)
    found = [line for line in differs.out.splitlines() if line.startswith("A moves ")]
    assert len(found) == 1
    assert found[0].startswith("A moves TASK or EMAIL in A with name = ")


def test_an_earlier_step_acts_only_until_a_later_one_of_its_kind_is_due(command):
    rules = '[[rule]]\nname = "r"\nmatch.queue = "A"\nstep = [{ at = "5m", warn = "a" }, { at = "%s", warn = "b" }]\n'
    command.rules.write_text(rules % "10m")

    done = command("diff", *other(command, lambda _text: rules % "15m"), "--prove")

    found = [line.partition(" (rule")[0] for line in done.out.splitlines() if " warns " in line]
    assert found == [
        "A warns about TASK or EMAIL in A from 10m; B from 15m",
        "B warns about TASK or EMAIL in A from 10m; A from 5m, but no longer",
    ]


def test_a_move_to_a_queue_that_must_be_open_is_shown(command):
    to = 'to = [{ queue = "B", flow = "F", open = true }]'
    rules = f'[[rule]]\nname = "r"\nmatch.queue = "A"\nstep = [{{ at = "%s", {to} }}]\n'
    command.rules.write_text(rules % "5m")

    done = command("diff", *other(command, lambda _text: rules % "10m"), "--prove")

    assert "A moves TASK or EMAIL in A to B from 5m; B from 10m" in done.out


def test_another_order_is_shown(command):
    first = '[[rule]]\nname = "first"\nmatch.tags.a = "1"\n'
    second = '[[rule]]\nname = "second"\nmatch.tags.b = "1"\n'
    command.rules.write_text(first + second)
    sets = other(command, lambda _text: second + first)

    assert command("diff", *sets).out == "in another order: second, first\n"


def test_a_dry_run_compares_the_files_with_the_rules_in_force(command, monkeypatch):
    in_force = command.rules.read_text().replace('target = "1h"', 'target = "2h"')
    calls = []

    def service(_path, request):
        calls.append(request)
        return {"sources": [["10-late.toml", in_force]]}

    monkeypatch.setattr("router.cli.commands.reload.control_socket", lambda _arguments: "socket")
    monkeypatch.setattr("router.cli.commands.reload.call_service", service)

    done = command("reload", "--dry-run", "--prove")

    assert done.status == 1
    assert "changed: rule 'late'" in done.out
    moves = "the folder moves EMAIL in Billing to Overflow or General from 1h; the service from 2h (rule 'late'"
    assert moves in done.out
    assert calls == ["rules"]


def test_a_reload_proves_nothing_without_a_dry_run(command, monkeypatch):
    monkeypatch.setattr("router.cli.commands.reload.control_socket", lambda _arguments: "socket")

    done = command("reload", "--prove")

    assert (done.status, done.err) == (2, "connect-router reload: --prove is possible with --dry-run only\n")


def effects(command, before, after):
    """Returns the lines on what B does and A does not, of two rule sets for one queue."""
    folders = []
    for name, text in (("before", before), ("after", after)):
        folder = command.folder / name
        folder.mkdir()
        (folder / "rules.toml").write_text(f'[defaults]\nflow = "Overflow to queue"\n{text}')
        folders.append(str(folder))
    done = command("diff", *folders, "--prove")
    assert done.status == 1, done.err
    return [line.partition(" (rule")[0] for line in done.out.splitlines() if line.startswith(("A ", "B "))]


TWO_RULES = """
[[rule]]
name = "vip"
match = {{ queue = "Orders", tags.customer = "vip" }}
sla.target = "{vip}"
step = [{{ at = "breach", to = [{{ queue = "Leads" }}] }}]
[[rule]]
name = "mail"
match = {{ queue = "Orders", channel = "EMAIL" }}
sla.target = "{mail}"
step = [{{ at = "breach", to = [{{ queue = "Leads" }}] }}]
"""


def test_contacts_on_which_rules_act_at_other_times_are_other_classes(command):
    before, after = TWO_RULES.format(vip="20m", mail="40m"), TWO_RULES.format(vip="14m", mail="28m")
    assert effects(command, before, after) == [
        'B moves TASK or EMAIL in Orders with tags.customer = "vip" to Leads from 14m; A from 20m',
        "B moves EMAIL in Orders with no tags.customer of the rules to Leads from 28m; A from 40m",
    ]


def test_each_of_many_changed_rules_of_a_queue_is_shown(command):
    def rules(target):
        return "".join(
            f'[[rule]]\nname = "r{n}"\nmatch = {{ queue = "Orders", tags.team = "t{n}" }}\n'
            f'sla.target = "{target + n}m"\n'
            'step = [{ at = "breach", to = [{ queue = "Leads" }] }]\n'
            for n in range(6)
        )

    assert sorted(effects(command, rules(30), rules(20))) == [
        f'B moves TASK or EMAIL in Orders with tags.team = "t{n}" to Leads from {20 + n}m; A from {30 + n}m'
        for n in range(6)
    ]


def test_more_classes_than_are_printed_are_named(command):
    def rules(target):
        return "".join(
            f'[[rule]]\nname = "r{n}"\nmatch = {{ queue = "Queue {n}" }}\nsla.target = "{target}m"\n'
            'step = [{ at = "breach", to = [{ queue = "Leads" }] }]\n'
            for n in range(21)
        )

    folders = [command.folder / name for name in ("before", "after")]
    for folder, target in zip(folders, (30, 20), strict=True):
        folder.mkdir()
        (folder / "rules.toml").write_text(f'[defaults]\nflow = "Overflow to queue"\n{rules(target)}')
    lines = command("diff", *map(str, folders), "--prove").out.splitlines()
    assert sum(line.startswith("B moves") for line in lines) == 20
    assert lines[-1] == "these are the first 20 classes of contacts; there may be more"


def test_a_difference_in_open_or_in_closed_hours_names_the_hours(command):
    rule = (
        '[[rule]]\nname = "r"\nmatch.queue = "Orders"\n{sla}\nstep = [{{ at = "40m", to = [{{ queue = "Leads" }}] }}]\n'
    )
    around, office = rule.format(sla=""), rule.format(sla='sla.hours = "Office hours"')
    assert effects(command, around, office) == [
        'A moves TASK or EMAIL in Orders to Leads from 40m while "Office hours" is closed; B never'
    ]


def test_a_difference_in_the_hours_of_the_queue_itself_names_the_queue(command):
    rule = (
        '[[rule]]\nname = "r"\nmatch.queue = "Orders"\n{sla}\nstep = [{{ at = "40m", to = [{{ queue = "Leads" }}] }}]\n'
    )
    around, own = rule.format(sla=""), rule.format(sla='sla.hours = "queue"')
    assert effects(command, around, own) == [
        "A moves TASK or EMAIL in Orders to Leads from 40m while the hours of Orders are closed; B never"
    ]


def test_the_first_of_two_rules_that_change_the_routing_counts(command):
    vip = '[[rule]]\nname = "vip"\nmatch = { queue = "Q", tags.vip = "yes" }\n'
    vip += 'step = [{ at = "5m", routing = { priority = 2 } }]\n'
    every = '[[rule]]\nname = "all"\nmatch = { queue = "Q" }\nstep = [{ at = "5m", routing = { priority = 3 } }]\n'
    found = effects(command, vip + every, every + vip)
    assert len(found) == 2
    assert all('with tags.vip = "yes"' in line for line in found)


def test_a_warning_that_counts_from_another_target_is_another_warning(command):
    rule = '[[rule]]\nname = "r"\nmatch = { queue = "Q" }\nsla.target = "10m"\n'
    rule += 'step = [{ at = "5m", warn = "late by {late}" }]\n'
    assert effects(command, rule, rule.replace('"10m"', '"20m"'))
    plain, other = (rule.replace(" by {late}", "").replace('"10m"', f'"{target}m"') for target in (10, 20))
    for name, text in (("plain", plain), ("other", other)):
        (command.folder / name).mkdir()
        (command.folder / name / "rules.toml").write_text(text)
    assert command("diff", str(command.folder / "plain"), str(command.folder / "other"), "--prove").status == 0


BASE = '[[rule]]\nname = "base"\nmatch.queue = "Q"\nstep = [{ at = "90m", warn = "long" }]\n'


def warning(match, *, at="5m", name="r", more=""):
    return (
        f'[[rule]]\nname = "{name}"\nmatch = {{ queue = "Q", {match} }}\n{more}\n'
        f'step = [{{ at = "{at}", warn = "late" }}]\n'
    )


ABOUT = "B warns about TASK or EMAIL in Q"


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        pytest.param(
            warning('none = [{ tags.a = "x", tags.b = "x" }]'),
            [
                f"{ABOUT} with no tags.b of the rules from 5m; A never",
                f"{ABOUT} with no tags.a of the rules from 5m; A never",
            ],
            id="two keys together",
        ),
        pytest.param(
            warning('any = [{ hours.name = "H1", hours.is = "open" }, { hours.name = "H2", hours.is = "open" }]'),
            [
                f'{ABOUT} from 5m while "H2" is open; A never',
                f'{ABOUT} from 5m while "H1" is open; A never',
            ],
            id="two hours together",
        ),
        pytest.param(
            warning('hours = { name = "H1", is = "open" }')
            + warning('hours = { name = "H1", is = "closed" }', at="10m", name="r2"),
            [
                f'{ABOUT} from 5m while "H1" is open; A never',
                f'{ABOUT} from 10m while "H1" is closed; A never',
            ],
            id="other times in open and in closed hours",
        ),
        pytest.param(
            warning('age = { min = "60m" }'),
            [f"{ABOUT} from 5m while its chain is 55m old when its wait begins; A never"],
            id="the age of the chain",
        ),
        pytest.param(
            warning('channel = "TASK"', more="from = 2026-07-01T00:00:00Z"),
            ["B warns about TASK in Q from 5m while its wait begins at 2026-06-30 23:55:00Z; A never"],
            id="the date",
        ),
    ],
)
def test_a_class_names_everything_that_the_difference_needs(command, rules, lines):
    assert effects(command, BASE, BASE + rules) == lines


def test_a_step_at_the_begin_is_not_due_while_the_hours_are_closed(command):
    base = '[[rule]]\nname = "base"\nmatch.queue = "Q"\nstep = [{ at = "5m", to = [{ queue = "S" }] }]\n'
    night = (
        '[[rule]]\nname = "own"\nmatch.queue = "Q"\non_hold = "next"\nsla.hours = "queue"\n'
        'step = [{ at = "0m", to = [{ queue = "U", slots_available = { min = 1 } }] }]\n'
    )
    assert effects(command, base, night + base) == [
        "A moves TASK or EMAIL in Q to S from 5m; B never",
        "B moves TASK or EMAIL in Q to U from 0s while the hours of Q are open; A never",
    ]
