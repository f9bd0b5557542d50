"""Tests what all commands share: usage, exit statuses, errors in one line, and no needless imports."""

import shutil
import socket
import subprocess
import sys

import pytest

from router.cli import main
from router.cli.parser import COMMANDS
from router.cli.words import command_first

LONG = "x" * 300
"""No file can have this name."""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_has_an_example(command, name):
    done = command(name, "--help")

    assert done.status == 0
    assert f"connect-router {name}" in done.out.partition("example:")[2]


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_the_help_fits_into_the_terminal_except_usage_and_examples(command, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")

    _usage, _gap, shown = command(*arguments, "--help").out.partition("\n\n")

    assert max(map(len, shown.partition("example:")[0].splitlines())) <= 80


def test_the_help_lists_every_command(command):
    done = command("--help")

    assert done.status == 0
    assert all(f"    {name} " in done.out for name in COMMANDS)


@pytest.mark.uses("processes")
@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["check"], ["schema"], ["schema", "config"]])
def test_what_needs_no_aws_does_not_import_its_sdk(command, arguments):
    program = (
        "import sys\n"
        "from router.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('boto3', 'botocore') if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, cwd=command.folder
    )

    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.uses("processes")
def test_the_list_of_commands_imports_no_command():
    program = "import sys; import router.cli; router.cli.main(['--help'])"
    shown = f"import atexit, sys; atexit.register(lambda: print('pydantic' in sys.modules, file=sys.stderr)); {program}"

    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)

    assert done.stderr == "False\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chek"], "connect-router: no command 'chek' (did you mean 'check'?) (see connect-router --help)\n"),
        (
            ["plan", "--jsno"],
            "connect-router plan: no option '--jsno' here (did you mean '--json'?) (see connect-router plan --help)\n",
        ),
        (
            ["backtest", "--againts", "new-rules"],
            "connect-router backtest: no option '--againts' here (did you mean '--against'?)"
            " (see connect-router backtest --help)\n",
        ),
        (["plan", "this"], "connect-router plan: no argument 'this' here (see connect-router plan --help)\n"),
        (["plan", LONG], f"connect-router plan: no argument '{LONG}' here (see connect-router plan --help)\n"),
        (
            ["plan", "--enforce", "--observe"],
            "connect-router plan: argument --observe: not allowed with argument --enforce"
            " (see connect-router plan --help)\n",
        ),
        (
            ["history", "--outcome", "refusd"],
            "connect-router history: no outcome 'refusd' (did you mean 'refused'?)"
            " (see connect-router history --help)\n",
        ),
        (
            ["history", "--since", "yesterday"],
            "connect-router history: argument --since: expected 2026-11-22T10:00:00Z, or a duration such as 2h"
            " (see connect-router history --help)\n",
        ),
        (
            ["history", "--until", "2026-11-22T10:00:00"],
            "connect-router history: argument --until: a time needs its offset, as in 2026-11-22T10:00:00Z"
            " (see connect-router history --help)\n",
        ),
        (
            ["sandbox", "--port", "99999"],
            "connect-router sandbox: argument --port: expected a number from 0 to 65535"
            " (see connect-router sandbox --help)\n",
        ),
        (
            ["check", "--set", "poll.every"],
            "connect-router: --set poll.every: expected KEY=VALUE, as in --set poll.every=5s\n",
        ),
        (["check", "--set", "pol.every=5s"], "--set pol.every: unknown key 'pol.every' (did you mean 'poll.every'?)\n"),
        (["check", "--config", "nowhere.toml"], "nowhere.toml: there is no such file\n"),
        (
            ["--json", "status", "--config", "a file"],
            "connect-router status: options are written after the command: connect-router status --json --config"
            " 'a file' (see connect-router status --help)\n",
        ),
        (
            ["check", "--rules"],
            "connect-router check: no option '--rules' here; set the key of config.toml: --set rules.path=VALUE"
            " (see connect-router check --help)\n",
        ),
        (
            ["plan", "--region=eu-west-2"],
            "connect-router plan: no option '--region' here; set the key of config.toml: --set connect.region=VALUE"
            " (see connect-router plan --help)\n",
        ),
        (
            ["plan", "--per-hour", "5"],
            "connect-router plan: no option '--per-hour' here; set the key of config.toml: --set guard.per_hour=VALUE"
            " (see connect-router plan --help)\n",
        ),
        (
            ["plan", "--dry-run"],
            "connect-router plan: no option '--dry-run' here (did you mean '--observe'?)"
            " (see connect-router plan --help)\n",
        ),
        (
            ["check", "-c", "config.toml"],
            "connect-router check: no option '-c' here (did you mean '--config PATH'?)"
            " (see connect-router check --help)\n",
        ),
        (
            ["check", "--silent"],
            "connect-router check: no option '--silent' here (did you mean '--quiet'?)"
            " (see connect-router check --help)\n",
        ),
        (["check", "-z"], "connect-router check: no option '-z' here (see connect-router check --help)\n"),
        (
            ["check", "rules"],
            "connect-router check: no argument 'rules' here (--config PATH names a configuration, --set rules.path=PATH"
            " the rules) (see connect-router check --help)\n",
        ),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exits_2(command, arguments, told):
    done = command(*arguments)

    assert (done.status, done.out, done.err) == (2, "", told)


@pytest.mark.parametrize(
    ("section", "place"), [("", "config.toml:1:1"), ('[rules]\npath = "riles"\n', "config.toml:5:8")]
)
def test_a_configuration_without_its_rules_shows_where_the_rules_belong(command, section, place):
    config = command.folder / "config.toml"
    config.write_text(f"{config.read_text()}{section}")
    command.rules.unlink()
    command.rules.parent.rmdir()

    done = command("check")

    folder = "riles" if section else "rules"
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        f'{place}: there is no folder or file "{folder}" with the rules: put your rule files (*.toml) into such a'
        " folder, or name another one as rules.path\n"
    )


@pytest.mark.uses("sockets")
def test_a_port_in_use_is_named_with_the_way_out(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = command("sandbox", "--port", str(port))

    assert done.status == 1
    assert done.err == (
        f"connect-router sandbox: another program uses port {port} of 127.0.0.1 (--port 0 takes a free one)\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--onec"],
        ["--observe", "--enforce"],
        ["--config", "nowhere.toml"],
        ["--set", "poll.every=soon"],
    ],
)
def test_for_run_the_same_is_78_so_that_systemd_does_not_restart_it(command, arguments):
    done = command("run", *arguments)

    assert done.status == 78
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["9" * 20_000], ["check", "--" + "x" * 20_000], ["check", "--min-coverage", "\x1b\n"]]
)
def test_wrong_usage_is_a_line_that_can_be_read_whatever_was_typed(command, arguments):
    done = command(*arguments)

    assert done.status == 2
    assert done.err.count("\n") == 1
    assert done.err[:-1].isprintable()
    assert len(done.err) < 2_000


def test_every_mistake_of_every_file_is_told_at_once_a_line_each(command):
    command.rules.write_text('[[rule]]\nnam = "a"\n')
    (command.folder / "rules" / "20-other.toml").write_text("[[rule]\n")

    done = command("plan")

    assert done.status == 2
    files = [line.partition(":")[0] for line in done.err.splitlines()]
    assert set(files) == {"rules/10-late.toml", "rules/20-other.toml"}
    assert "did you mean 'name'?" in done.err


def test_the_same_mistake_reads_the_same_from_check_and_at_start(command):
    command.rules.write_text(command.rules.read_text().replace('target = "1h"', 'target = "1 hour"'))

    checked, started = command("check"), command("run")

    assert (checked.status, started.status) == (2, 78)
    assert checked.err == started.err
    assert checked.err.startswith("rules/10-late.toml:12:10: ")


def test_a_bug_is_one_line_that_names_the_exception(command, monkeypatch):
    monkeypatch.setattr("router.cli.commands.schema.run", lambda arguments: vars(arguments)["no\nsuch"])

    done = command("schema")

    assert done.status == 70
    assert done.err == "connect-router: a bug: KeyError: 'no\\nsuch' (CONNECT_ROUTER_TRACEBACK=1 shows where)\n"


@pytest.mark.parametrize("how", ["variable", "level"])
def test_the_traceback_of_a_bug_is_shown_to_who_asks_for_it(command, monkeypatch, how):
    monkeypatch.setattr("router.cli.commands.schema.run", lambda arguments: vars(arguments)["missing"])
    if how == "variable":
        monkeypatch.setenv("CONNECT_ROUTER_TRACEBACK", "1")

    with pytest.raises(KeyError):
        main(["schema", *(["--log-level", "debug"] if how == "level" else [])])


def test_the_variable_that_shows_tracebacks_is_not_taken_for_a_key_of_the_configuration(command, monkeypatch):
    monkeypatch.setenv("CONNECT_ROUTER_TRACEBACK", "1")

    assert command("check").status == 0


def test_ctrl_c_is_quiet_and_exits_130(command, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("router.cli.commands.schema.run", interrupted)

    done = command("schema")

    assert (done.status, done.out, done.err) == (130, "", "")


@pytest.mark.uses("processes")
def test_a_reader_that_has_gone_is_no_error(command):
    script = f"{sys.executable} -m router schema | head -c 10; echo status ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=command.folder)

    assert done.stderr == ""
    assert done.stdout.endswith(("status 0\n", "status 141\n"))


@pytest.mark.uses("processes")
def test_standard_output_that_is_full_is_one_line_and_no_success(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "router", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr == "connect-router: No space left on device\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "other.toml", "check"],
        ["--config=other.toml", "check", "--strict"],
        ["check", "--config", "other.toml"],
        ["-v", "--set", "poll.every=5s", "--config", "other.toml", "check", "-q"],
    ],
)
def test_common_options_are_written_before_or_after_the_command(command, words):
    (command.folder / "config.toml").rename(command.folder / "other.toml")

    assert command(*words).status == 0
    assert command(*(word for word in words if "other.toml" not in word and word != "--config")).status == 2


def test_the_value_of_an_option_is_not_taken_for_the_command():
    assert command_first(["--config", "run", "plan", "--late"]) == ["plan", "--config", "run", "--late"]
    assert command_first(["--help"]) == ["--help"]
    assert command_first(["--config"]) == ["--config"]


def test_a_variable_names_the_configuration_and_the_option_wins(command, monkeypatch):
    (command.folder / "config.toml").rename(command.folder / "other.toml")
    monkeypatch.setenv("CONNECT_ROUTER_CONFIG", "other.toml")

    assert command("check").status == 0
    assert command("check", "--config", "nowhere.toml").err == "nowhere.toml: there is no such file\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.uses("processes")
def test_the_completion_of_a_shell_knows_every_command(command, shell):
    done = command("completion", shell)

    assert (done.status, done.err) == (0, "")
    assert [name for name in COMMANDS if name not in done.out] == []
    assert "undo-plan" in done.out, "the options of commands too"
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=done.out, text=True, check=True)


def test_the_version_is_the_packages(command):
    import router

    assert command("--version").out == f"connect-router {router.__version__}\n"


@pytest.mark.parametrize("arguments", [["check"], ["check", "--strict"]])
def test_service_links_of_kubernetes_are_one_warning(command, monkeypatch, arguments):
    monkeypatch.setenv("CONNECT_ROUTER_PORT", "tcp://10.96.0.17:9464")
    monkeypatch.setenv("CONNECT_ROUTER_SERVICE_HOST", "10.96.0.17")

    done = command(*arguments)

    assert done.status == 0, done.err
    assert done.err == (
        "connect-router: warning: environment:CONNECT_ROUTER_PORT and 1 more: no settings, but service links of"
        " Kubernetes; enableServiceLinks: false omits them\n"
    )
