"""Checks what Prometheus reads of a running router."""

import json
import re
import shutil
import socket
import subprocess
import urllib.request
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from router.daemon.prometheus import PrometheusCollector
from router.daemon.web_server import exposed
from router.rules.rule import Mode

HOUR = timedelta(hours=1)
CHECKOUT = Path(__file__).parents[2]
MONITORING, PAGE = CHECKOUT / "monitoring", CHECKOUT / "docs" / "metrics.md"
NAME = re.compile(r"connect_router_[a-z_]+")


def scraped(app):
    """Returns every sample, by its name and the values of its labels, in the order of the labels' names."""
    with exposed(app, host="127.0.0.1", port=0) as port:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    return {
        (sample.name.removeprefix("connect_router_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def router(centre, *arguments, **overrides):
    """Returns a router that counts for Prometheus. Nothing listens on the port: ``scraped`` chooses one."""
    return centre.router(*arguments, **{"metrics.listen": "127.0.0.1:9464", **overrides})


def cycled(app):
    report = app.cycle.run(until=None)
    app.vital.cycled(report)
    return report


def test_the_figures_are_those_of_the_cycles(centre):
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=HOUR + timedelta(seconds=40))
    centre.world.enqueue("TASK", "Billing Overflow", waited=2 * HOUR)
    app = router(centre, **{"guard.per_cycle": 2})
    cycled(app)
    read = scraped(app)
    assert read["waiting",] == 4
    assert read["ungoverned",] == 1
    assert read["due",] == 3
    assert read["held", "per_cycle"] == 1
    assert read["transfers_total", "done", "late"] == 2
    assert read["cycles_total", "true"] == 1
    assert read["cycles_total", "false"] == 0
    assert 39 < read["oldest_breach_seconds",] < 60
    assert read["calls_total", "TransferContact"] == 2
    assert read["throttles_total", "TransferContact"] == 0
    assert read["under_way",] == 2
    assert read["ledger_up",] == 1
    assert read["ledger_open_intents",] == 0


def test_the_process_and_the_counters_of_rules_show_before_anything_was_moved(centre):
    read = scraped(router(centre))
    assert read["process_start_time_seconds",] > 0
    assert read["process_resident_memory_bytes",] > 0
    assert read["process_open_fds",] > 0
    outcomes = ("observed", "done", "held", "refused", "unsettled", "not_sent")
    assert [read["transfers_total", outcome, "late"] for outcome in outcomes] == [0] * 6


def test_reaction_is_from_the_breach_to_the_accepted_transfer(centre):
    centre.world.enqueue("TASK", "Billing", waited=HOUR + timedelta(seconds=40))
    app = router(centre)
    cycled(app)
    read = scraped(app)
    assert read["reaction_seconds_bucket", "30.0"] == 0
    assert read["reaction_seconds_bucket", "60.0"] == 1
    assert read["reaction_seconds_bucket", "+Inf"] == 1
    assert 39 < read["reaction_seconds_sum",] < 60


def test_what_is_only_observed_is_counted_apart_and_is_no_reaction(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = router(centre, mode=Mode.OBSERVE)
    cycled(app)
    read = scraped(app)
    assert read["transfers_total", "observed", "late"] == 1
    assert read["reaction_seconds_count",] == 0


def test_a_refused_reload_and_throttles_show(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("throttle", "DescribeContact", count=1)
    app = router(centre)
    cycled(app)
    assert scraped(app)["reload_refused",] == 0
    app.vital.refused(("10-test.toml:1:1: no",))
    read = scraped(app)
    assert read["reload_refused",] == 1
    assert read["throttles_total", "DescribeContact"] == 1


def test_before_the_first_cycle_there_are_figures_of_the_service_and_none_of_contacts(centre):
    read = scraped(router(centre))
    assert read["rules",] == 1
    assert ("waiting",) not in read


def test_a_scrape_asks_nothing_of_aws(centre):
    app = router(centre)
    before = len(centre.sandbox.calls)
    scraped(app)
    assert len(centre.sandbox.calls) == before


def test_no_label_holds_a_contact_a_queue_or_an_agent(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = router(centre)
    cycled(app)
    labels = {label for key in scraped(app) for label in key[1:]}
    assert not labels & {contact, "Billing", "Billing Overflow"}


def test_a_port_in_use_is_an_error_and_the_port_is_free_after_the_service(centre):
    app = router(centre)
    with exposed(app, host="127.0.0.1", port=0) as port:
        busy = exposed(app, host="127.0.0.1", port=port)
        with pytest.raises(OSError, match="in use"):
            ExitStack().enter_context(busy)
    with socket.create_server(("127.0.0.1", port)):
        pass


def names(app):
    """Returns the names as they are exposed: counters end in _total, histograms have three names more."""
    ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
    families = PrometheusCollector(app).collect()
    return {f"{family.name}{end}" for family in families for end in ends.get(family.type, [""])}


@pytest.mark.parametrize("file", ["alerts.yml", "alerts_test.yml", "grafana-dashboard.json"])
def test_every_metric_that_is_shipped_in_alerts_and_dashboard_exists(centre, file):
    app = router(centre, **{"events.queue": "https://sqs.us-east-1.amazonaws.com/111122223333/events"})
    cycled(app)
    named = set(NAME.findall((MONITORING / file).read_text(encoding="utf-8")))
    assert len(named) > 8
    assert named <= names(app)


def test_every_metric_has_its_row_in_the_docs_and_every_row_its_metric(centre):
    app = router(centre, **{"events.queue": "https://sqs.us-east-1.amazonaws.com/111122223333/events"})
    cycled(app)
    rows = set(re.findall(r"^\| `(connect_router_[a-z_]+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    bases = {re.sub("_(bucket|sum|count)$", "", name) for name in names(app)}
    assert rows == bases


def test_every_alert_is_on_the_page_and_tried_by_the_tests_of_the_alerts():
    alerts = re.findall(r"- alert: (\w+)", (MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    tried = set(re.findall(r"alertname: (\w+)", (MONITORING / "alerts_test.yml").read_text(encoding="utf-8")))
    assert len(alerts) == len(set(alerts)) > 8
    assert set(alerts) == tried
    assert set(re.findall(r"^\| `(ConnectRouter\w+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)) == tried


@pytest.mark.parametrize("runbook", re.findall(r"runbook: (\S+)", (MONITORING / "alerts.yml").read_text("utf-8")))
def test_every_runbook_of_an_alert_is_a_heading_of_the_docs(runbook):
    path, _, anchor = runbook.partition("#")
    headings = re.findall(r"^#+ (.+)$", (CHECKOUT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert anchor in {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fits(text, template):
    """Returns whether a summary may be what the template becomes. Placeholders are replaced by anything."""
    return re.fullmatch("(?s:.+)".join(map(re.escape, re.split(r"\{\{.*?\}\}", template))), text)


def test_what_the_tests_of_the_alerts_expect_is_what_the_rules_say():
    """Holds without promtool: both files are YAML, and severities, labels and summaries agree."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    tests = yaml.safe_load((MONITORING / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    trials = [trial for test in tests for trial in test["alert_rule_test"]]
    tried = [(trial["alertname"], alert) for trial in trials for alert in trial["exp_alerts"]]

    assert {rule["labels"]["severity"] for rule in rules.values()} == {"page", "ticket"}
    assert {name for name, _ in tried} == set(rules)
    for name, alert in tried:
        assert alert["exp_labels"]["severity"] == rules[name]["labels"]["severity"], name
        assert fits(alert["exp_annotations"]["summary"], rules[name]["annotations"]["summary"]), name


needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not here"
)


@needs_promtool
def test_the_alerts_do_what_their_tests_say():
    done = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_has_no_panel_twice():
    panels = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10


def queries():
    """Returns the query of each target of the dashboard, by the panel's title and the target's letter."""
    panels = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
    return {
        (panel["title"], target["refId"]): target["expr"].replace("$instance", "a|b|c")
        for panel in panels
        for target in panel["targets"]
    }


WORKS, OBSERVES, DEAD = "a", "b", "c"
ONLY_OF_THE_WORKING = {
    ("Complete cycles", "A"): "healthy",
    ("Oldest breach not served", "A"): "oldest_breach_seconds",
    ("Strays and suspended flows", "A"): "strays",
    ("Strays and suspended flows", "B"): "flows_suspended",
    ("Contacts", "A"): "waiting",
    ("Contacts", "B"): "due",
    ("Contacts", "C"): "ungoverned",
    ("Contacts", "D"): "not_sent",
    ("Open in the ledger", "A"): "ledger_open_intents",
    ("Open in the ledger", "B"): "under_way",
}


@needs_promtool
def test_the_dashboard_shows_contacts_of_the_router_that_works_and_never_of_another_one(tmp_path):
    series = [
        {"series": f'connect_router_{name}{{job="connect-router", instance="{router}"}}', "values": values}
        for name in {*ONLY_OF_THE_WORKING.values(), "working"}
        for router, values in ((WORKS, "1x9"), (OBSERVES, "0x9" if name == "working" else "7x9"), (DEAD, "1x3 stale"))
    ]
    labels = 'job="connect-router", reason="closed"'
    held = [
        {"series": f'connect_router_held{{{labels}, instance="{router}"}}', "values": "4x9"}
        for router in (WORKS, OBSERVES)
    ]
    expected = [
        {
            "expr": queries()[target],
            "eval_time": "9m",
            "exp_samples": [
                {"labels": f'connect_router_{name}{{job="connect-router", instance="{WORKS}"}}', "value": 1}
            ],
        }
        for target, name in ONLY_OF_THE_WORKING.items()
    ]
    held_in_all = {
        "expr": queries()["Held, by reason", "A"],
        "eval_time": "9m",
        "exp_samples": [{"labels": '{reason="closed"}', "value": 4}],
    }
    tests = {
        "tests": [{"interval": "1m", "input_series": [*series, *held], "promql_expr_test": [*expected, held_in_all]}]
    }
    (tmp_path / "dashboard.yml").write_text(yaml.safe_dump(tests))
    done = subprocess.run(
        ["promtool", "test", "rules", "dashboard.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_figure_of_the_dashboard_that_is_not_added_up_names_its_router():
    panels = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
    targets = [target for panel in panels for target in panel["targets"]]
    added_up = [target for target in targets if "sum by" in target["expr"]]
    assert len(added_up) > 5
    assert [one["expr"] for one in targets if one not in added_up and "{{instance}}" not in one["legendFormat"]] == []
