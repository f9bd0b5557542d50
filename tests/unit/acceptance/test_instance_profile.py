"""Tests the file of an instance profile: written, read, applied, shared and refused."""

from datetime import UTC, datetime, timedelta

import pytest

from router.acceptance.instance_profile import load_profile, profile_of, text_of
from router.acceptance.probe import SWITCHES, ProbeResult
from router.problems import Problems
from router.sandbox import Behaviours

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
INSTANCE = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:connect:us-east-1:111122223333:instance/{INSTANCE}"
CONTACT = "3ce19c7b-7228-46d0-89ad-e33c0cf8ed54"
RESULTS = (
    ProbeResult(
        name="answer_id", question="Which id?", value="old", evidence=(f"12:00 TransferContact {CONTACT} 200",)
    ),
    ProbeResult(name="index_lag", question="How late?", value=timedelta(seconds=90), figures={"up_p50": 90.5}),
    ProbeResult(name="paused_looks_queued", question="Queued?", value=False),
    ProbeResult(name="put_back", question="Which?", unsettled=f'no "agent" for {CONTACT}'),
    ProbeResult(name="clock_skew", question="How far?", figures={"seconds": -0.2}),
)


@pytest.fixture
def profile():
    return profile_of(RESULTS, taken_at=NOON, length="quick", botocore="1.44.5", router="0.1.0", arn=ARN)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "instance-profile.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_what_is_written_is_read_again(profile, written):
    assert load_profile(written(text_of(profile))) == profile


def test_a_profile_sets_the_switches_that_it_knows_and_no_other(profile):
    behaviours = profile.applied_to(Behaviours(resume="stays_out"))
    lag = timedelta(seconds=90)
    expected = Behaviours(answer_id="old", index_lag=lag, paused_looks_queued=False, resume="stays_out")
    assert behaviours == expected


def test_a_shared_profile_has_no_id(profile, written):
    text = text_of(profile.without_ids())
    for secret in (INSTANCE, CONTACT, "111122223333"):
        assert secret not in text
    assert load_profile(written(text)).applied_to(Behaviours()) == profile.applied_to(Behaviours())


@pytest.mark.parametrize(
    ("finding", "message"),
    [
        ('answer_id]\nvalue = "newer"', ':11:9: expected one of "new", "old", got "newer"'),
        ('paused_looks_queued]\nvalue = "yes"', ':11:9: expected one of true, false, got "yes"'),
        ('index_lag]\nvalue = "soon"', ':11:9: expected a duration such as "90s"'),
        ("answer_id]\nvalu = 1", ":11:1: unknown key 'valu'"),
    ],
)
def test_a_value_that_is_none_of_the_switch_is_refused_at_its_place(profile, written, finding, message):
    top = text_of(profile).partition("\n[finding")[0]
    path = written(f"{top}\n[finding.{finding}\n")
    with pytest.raises(Problems) as refused:
        load_profile(path)
    assert message in str(refused.value)


def test_a_value_that_the_sandbox_does_not_know_is_unsettled():
    results = [ProbeResult(name="transfer_initiation_method", question="", value="CALLBACK")]
    profile = profile_of(results, taken_at=NOON, length="quick", botocore="1", router="1", arn=ARN)
    table = profile.finding["transfer_initiation_method"]
    assert table.value is None
    assert "CALLBACK" in str(table.unsettled)


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({}, None),
        ({"now": NOON + timedelta(days=91)}, "the profile is 91 days old"),
        ({"botocore": "1.45.0"}, "the profile was taken with botocore 1.44.5, and 1.45.0 is installed"),
        ({"instance": CONTACT}, "the profile is of another instance"),
    ],
)
def test_an_old_profile_and_one_of_other_circumstances_are_objected_to(profile, changes, objection):
    given = {"now": NOON + timedelta(days=1), "botocore": "1.44.5", "instance": INSTANCE, **changes}
    found = list(profile.objections(**given))
    assert len(found) == (objection is not None)
    assert objection is None or found[0].startswith(objection)


def test_every_switch_has_a_probe():
    from router.acceptance.probes import probes

    names = [one.name for one in probes()]
    assert set(SWITCHES) <= set(names)
    assert len(set(names)) == len(names)
