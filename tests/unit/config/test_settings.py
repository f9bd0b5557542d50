"""Loads correct settings: defaults, precedence, paths."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from router.problems import Problems
from router.settings import DOCUMENTED_QUOTAS, Quota, Settings, load_settings
from router.settings.service_tables import MetricsSettings
from router.settings.sources import keys, service_links, variables

ID = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:connect:eu-west-2:111122223333:instance/{ID}"
SHIPPED = Path(__file__).resolve().parents[3] / "config.toml"


def test_every_key_but_the_instance_has_its_default(load):
    settings = load()
    assert settings.connect.region is None
    execute, retry = settings.execute, settings.execute.retry
    assert (execute.mode, execute.workers, execute.keep_place) == ("observe", 8, True)
    assert execute.landing_timeout == timedelta(minutes=2)
    assert (retry.attempts, retry.max_delay, retry.give_up_after) == (8, timedelta(seconds=20), timedelta(minutes=2))
    poll = settings.poll
    assert (poll.every, poll.sweep, poll.lookback) == (timedelta(seconds=15), timedelta(minutes=5), timedelta(days=90))
    assert poll.channels == ("TASK", "EMAIL")
    assert settings.rules.reload == "signal"
    guard = settings.guard
    assert (guard.max_transfers, guard.reserve_transfers, guard.cooldown) == (3, 2, timedelta(minutes=5))
    assert (guard.per_cycle, guard.per_hour, guard.unlanded) == (50, 500, 10)
    assert settings.quotas.share == 0.8
    assert settings.ledger.keep == timedelta(days=120)
    assert (settings.log.level, settings.log.format) == ("info", "auto")
    assert settings.log.emf is False
    assert settings.metrics.listen == ""


def test_the_shipped_file_says_what_the_defaults_are(monkeypatch, load):
    shipped = load_settings(SHIPPED, environ={}, overrides={})
    assert shipped.model_dump(exclude={"connect", "rules", "ledger"}) == load().model_dump(
        exclude={"connect", "rules", "ledger"}
    )
    assert shipped.connect.region is None
    assert shipped.execute.mode == "observe"
    written = tomllib.loads(SHIPPED.read_text())
    assert {key for table in written.values() for key in table} >= {path[1] for path in keys() if len(path) == 2} - {
        "region", "url", *(operation for operation in DOCUMENTED_QUOTAS if operation not in written["quotas"])
    }  # fmt: skip


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(load):
    text = '[poll]\nevery = "20s"\nsweep = "6m"\nlookback = "80d"\n'
    environ = {"CONNECT_ROUTER_POLL__SWEEP": "7m", "CONNECT_ROUTER_POLL__LOOKBACK": "70d"}
    poll = load(text, environ=environ, overrides={"poll.lookback": "60d"}).poll
    assert (poll.every, poll.sweep, poll.lookback) == (timedelta(seconds=20), timedelta(minutes=7), timedelta(days=60))
    assert poll.channels == ("TASK", "EMAIL")


def test_a_wrong_value_that_a_stronger_source_replaces_is_not_in_force(load):
    assert load("[execute]\nworkers = 0\n", environ={"CONNECT_ROUTER_EXECUTE__WORKERS": "4"}).execute.workers == 4


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("EXECUTE__MODE", "enforce", "enforce"),
        ("EXECUTE__WORKERS", "4", 4),
        ("EXECUTE__KEEP_PLACE", "False", False),
        ("EXECUTE__RETRY__MAX_DELAY", "5s", timedelta(seconds=5)),
        ("POLL__CHANNELS", "EMAIL", ("EMAIL",)),
        ("POLL__CHANNELS", "EMAIL, TASK", ("EMAIL", "TASK")),
        ("POLL__CHANNELS", '["EMAIL"]', ("EMAIL",)),
        ("QUOTAS__SHARE", "0.25", 0.25),
        ("QUOTAS__SHARE", "1", 1.0),
        ("QUOTAS__TRANSFERCONTACT", "{ rate = 4, burst = 8 }", Quota(rate=4, burst=8)),
        ("METRICS__LISTEN", "", ""),
        ("LOG__LEVEL", "debug", "debug"),
    ],
)
def test_a_variable_is_read_as_its_key_needs_it(load, variable, text, value):
    found = load(environ={f"CONNECT_ROUTER_{variable}": text})
    for part in variables()[f"CONNECT_ROUTER_{variable}"]:
        found = getattr(found, part)
    assert found == value


def test_variables_of_other_programs_are_not_looked_at(load):
    load(environ={"CONNECT_ROUTERS": "x", "connect_router_poll__every": "x", "PATH": "x", "CONNECT_ROUTE_X": "x"})


def test_a_quota_can_be_set_half_in_the_file_and_half_in_the_environment(load):
    text = "[quotas]\nSearchContacts = { rate = 0.5, burst = 3 }\n"
    settings = load(text, environ={"CONNECT_ROUTER_QUOTAS__SEARCHCONTACTS__RATE": "0.4"})
    assert settings.quotas.rates["SearchContacts"] == Quota(rate=0.4, burst=3)


def test_quotas_are_the_documented_ones_where_nothing_is_said(load):
    rates = load("[quotas]\nTransferContact = { rate = 3, burst = 6 }\n").quotas.rates
    assert rates == {**DOCUMENTED_QUOTAS, "TransferContact": Quota(rate=3, burst=6)}
    assert DOCUMENTED_QUOTAS["SearchContacts"] == Quota(rate=0.5, burst=1)
    assert DOCUMENTED_QUOTAS["TransferContact"] == Quota(rate=2, burst=5)
    assert DOCUMENTED_QUOTAS["DescribeContact"] == Quota(rate=10, burst=15)
    assert DOCUMENTED_QUOTAS["UpdateContactRoutingData"] == Quota(rate=20, burst=20)
    assert DOCUMENTED_QUOTAS["GetCurrentMetricData"] == Quota(rate=5, burst=8)


def test_every_operation_with_a_quota_is_one_of_connects():
    import botocore.session

    operations = botocore.session.get_session().get_service_model("connect").operation_names
    assert set(DOCUMENTED_QUOTAS) <= set(operations)


def test_an_arn_gives_id_account_and_region(load):
    connect = load(whole=f'[connect]\ninstance = "{ARN}"\n').connect
    assert (connect.instance_id, connect.account, connect.region) == (ID, "111122223333", "eu-west-2")


def test_a_bare_id_gives_no_account_and_no_region(load):
    connect = load().connect
    assert (connect.instance_id, connect.account, connect.region) == (ID, None, None)


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2", "eusc-de-east-1"])
def test_a_region_has_the_form_of_one(load, region):
    assert load(f'region = "{region}"\n').connect.region == region


def test_relative_paths_are_relative_to_the_file_that_names_them(tmp_path, load):
    text = '[rules]\npath = "my/rules"\n[ledger]\nurl = "sqlite:state/l.db"\n[control]\nsocket = "c.sock"\n'
    settings = load(text)
    assert settings.rules.path == tmp_path / "my/rules"
    assert settings.ledger.path == tmp_path / "state/l.db"
    assert settings.ledger.url == f"sqlite:{tmp_path}/state/l.db"
    assert settings.control_socket == tmp_path / "c.sock"


def test_default_paths_are_beside_the_file(tmp_path, load):
    settings = load()
    assert settings.rules.path == tmp_path / "rules"
    assert settings.ledger.path == tmp_path / "ledger.db"
    assert settings.control_socket == tmp_path / "control.sock"
    assert settings.config_path == tmp_path / "config.toml"


def test_relative_paths_from_outside_the_file_are_relative_to_the_working_directory(load):
    settings = load(
        '[rules]\npath = "x"\n[ledger]\nurl = "sqlite:x"\n',
        environ={"CONNECT_ROUTER_RULES__PATH": "r", "CONNECT_ROUTER_CONTROL__SOCKET": "s/c.sock"},
        overrides={"ledger.url": "sqlite:l.db"},
    )
    assert settings.rules.path == Path("r")
    assert settings.ledger.path == Path("l.db")
    assert settings.control_socket == Path("s/c.sock")


def test_absolute_paths_stay_as_they_are(load):
    settings = load('[rules]\npath = "/srv/rules"\n[ledger]\nurl = "sqlite:/srv/l.db"\n')
    assert (settings.rules.path, settings.ledger.path) == (Path("/srv/rules"), Path("/srv/l.db"))
    assert settings.control_socket == Path("/srv/control.sock")


def test_systemds_directories_are_used_where_nobody_names_a_path(load):
    systemd = {"STATE_DIRECTORY": "/var/lib/connect-router:/var/lib/other", "RUNTIME_DIRECTORY": "/run/connect-router"}
    settings = load(environ=systemd)
    assert settings.ledger.url == "sqlite:/var/lib/connect-router/ledger.db"
    assert settings.control_socket == Path("/run/connect-router/control.sock")


def test_a_path_that_is_named_wins_over_systemds_directories(tmp_path, load):
    systemd = {"STATE_DIRECTORY": "/var/lib/connect-router", "RUNTIME_DIRECTORY": "/run/connect-router"}
    settings = load('[ledger]\nurl = "sqlite:l.db"\n[control]\nsocket = "c.sock"\n', environ=systemd)
    assert (settings.ledger.path, settings.control_socket) == (tmp_path / "l.db", tmp_path / "c.sock")


def test_a_relative_config_gives_paths_as_the_user_would_write_them(tmp_path, monkeypatch):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/config.toml").write_text(f'[connect]\ninstance = "{ID}"\n')
    monkeypatch.chdir(tmp_path)
    assert load_settings(Path("conf/config.toml"), environ={}, overrides={}).rules.path == Path("conf/rules")


def test_without_a_name_the_file_here_is_read(tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text(f'[connect]\ninstance = "{ID}"\n')
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, environ={}, overrides={})
    assert settings.config_path == Path("config.toml")
    assert settings.rules.path == Path("rules")


def test_without_a_file_here_the_installed_one_is_read(tmp_path, monkeypatch):
    installed = tmp_path / "etc.toml"
    installed.write_text(f'[connect]\ninstance = "{ID}"\n')
    monkeypatch.setattr("router.settings.load.INSTALLED", installed)
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, environ={}, overrides={}).config_path == installed


def test_without_any_file_it_is_reported_where_one_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("router.settings.load.INSTALLED", Path("/nowhere/config.toml"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problems) as caught:
        load_settings(None, environ={"CONNECT_ROUTER_POL": "x"}, overrides={})
    assert [str(problem) for problem in caught.value.problems] == [
        "config.toml: there is no such file here, and no /nowhere/config.toml (name one with --config PATH)",
        "environment:CONNECT_ROUTER_POL: unknown variable (did you mean 'CONNECT_ROUTER_POLL'?)",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_reported(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0)
    with pytest.raises(Problems, match="cannot be read: Permission denied"):
        load_settings(path, environ={}, overrides={})


def test_every_source_tells_its_problems_at_once(reported):
    assert reported(
        "[poll]\nevery = 5\n",
        environ={"CONNECT_ROUTER_LOG__LEVEL": "loud", "CONNECT_ROUTER_LOGS__LEVEL": "info"},
        overrides={"execute.workers": 0, "execute.worker": 4},
    ) == [
        "--set execute.worker: unknown key 'execute.worker' (did you mean 'execute.workers'?)",
        "--set execute.workers: must be at least 1, got 0",
        '4:9: expected a duration such as "15m", got 5: write the unit, as in "5s" or "5m"',
        "environment:CONNECT_ROUTER_LOGS__LEVEL: unknown variable (did you mean 'CONNECT_ROUTER_LOG__LEVEL'?)",
        'environment:CONNECT_ROUTER_LOG__LEVEL: expected "debug", "info", "warning" or "error", got "loud"',
    ]


@pytest.mark.parametrize("value", ["\udce9", "a\udcffb"])
def test_a_value_from_outside_that_is_not_utf8_is_reported_by_its_name(reported, value):
    """Gives the value as the operating system hands over bytes that are no text."""
    variable = "CONNECT_ROUTER_POLL__EVERY"
    assert reported(environ={variable: value}, overrides={"ledger.url": f"sqlite:{value}"}) == [
        "--set ledger.url: the value is not UTF-8",
        f"environment:{variable}: the value is not UTF-8",
    ]


def test_settings_are_not_changed_once_loaded(load):
    settings = load()
    with pytest.raises(ValidationError):
        settings.poll.every = timedelta(seconds=1)
    with pytest.raises(ValidationError):
        settings.poll = settings.poll.model_copy()


def test_settings_made_in_code_read_neither_file_nor_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CONNECT_ROUTER_POLL__EVERY", "1s")
    monkeypatch.setenv("POLL", '{"every": "1s"}')
    monkeypatch.setenv("poll__every", "1s")
    settings = Settings.model_validate({"connect": {"instance": ID}})
    assert settings.poll.every == timedelta(seconds=15)


@pytest.mark.uses("processes")
def test_loading_imports_neither_the_sdk_nor_what_the_service_needs():
    code = "import sys, router.settings; print({'boto3', 'botocore', 'apscheduler', 'rich', 're2'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("", None),
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_metrics_are_served_at_a_loopback_address(listen, address):
    assert MetricsSettings(listen=listen).address == address


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:9464", ":9464", "9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:1"]
)
def test_metrics_are_served_nowhere_else(listen):
    with pytest.raises(ValidationError, match="expected a loopback address and a port"):
        MetricsSettings(listen=listen)


@pytest.mark.parametrize(
    "deep", ["[" * 320 + "]" * 320, "{ x = " + "{ a = " * 320 + "1" + " }" * 321, "{ " + "a." * 900 + "a = 1 }"]
)
@pytest.mark.parametrize("key", ["poll.every", "polls", "connect.region"])
def test_what_is_nested_without_end_is_refused_like_any_other_value(reported, key, deep):
    lines = reported(whole=f'connect.instance = "{ID}"\n{key} = {deep}\n', environ={"CONNECT_ROUTER_POLL__SWEEP": "5m"})
    assert [line.partition(":")[0] for line in lines] == ["2"]


LINKS = {
    "CONNECT_ROUTER_SERVICE_HOST": "10.96.0.17",
    "CONNECT_ROUTER_SERVICE_PORT": "9464",
    "CONNECT_ROUTER_SERVICE_PORT_METRICS": "9464",
    "CONNECT_ROUTER_PORT": "tcp://10.96.0.17:9464",
    "CONNECT_ROUTER_PORT_9464_TCP": "tcp://10.96.0.17:9464",
    "CONNECT_ROUTER_PORT_9464_TCP_PROTO": "tcp",
    "CONNECT_ROUTER_PORT_9464_TCP_PORT": "9464",
    "CONNECT_ROUTER_PORT_9464_TCP_ADDR": "10.96.0.17",
    "CONNECT_ROUTER_METRICS_SERVICE_HOST": "fd00::17",
    "CONNECT_ROUTER_METRICS_PORT": "udp://[fd00::17]:53",
    "CONNECT_ROUTER_EU_WEST_PORT_53_UDP_PROTO": "udp",
}


def test_the_service_links_of_kubernetes_do_not_stop_the_start(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[connect]\ninstance = "{ID}"\n')

    assert load_settings(config, environ=LINKS, overrides={}) == load_settings(config, environ={}, overrides={})
    assert service_links(LINKS | {"PATH": "/bin", "OTHER_PORT": "tcp://10.0.0.1:1"}) == tuple(sorted(LINKS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONNECT_ROUTER_METRICS__PORT", "9464"),
        ("CONNECT_ROUTER_PORT", "a text"),
        ("CONNECT_ROUTER_SERVICE_NAME", "x"),
        ("CONNECT_ROUTER_EXECUTE_MODE", "enforce"),
        ("CONNECT_ROUTER_PORTS", "9464"),
        ("CONNECT_ROUTER_poll_PORT", "9464"),
    ],
)
def test_an_unknown_variable_that_is_no_service_link_stays_a_mistake(reported, name, value):
    (problem,) = reported(environ={name: value})

    assert problem.startswith(f"environment:{name}: unknown variable")


@pytest.mark.parametrize("name", [*variables(), "CONNECT_ROUTER_POL__EVERY"])
def test_an_empty_variable_counts_as_unset(tmp_path, name):
    config = tmp_path / "config.toml"
    config.write_text(f'[connect]\ninstance = "{ID}"\n[poll]\nevery = "7s"\n')

    assert load_settings(config, environ={name: ""}, overrides={}).poll.every.total_seconds() == 7
