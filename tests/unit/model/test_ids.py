"""Checks what people write and copy as the id of a contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model import Home, contact_id_of

ID = "40797c0d-b39b-44e9-b624-06a0162ef271"
INSTANCE = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:connect:eu-central-1:123456789012:instance/{INSTANCE}"

WRITTEN = [
    ID,
    ID.upper(),
    f" {ID}\n",
    f"{ID} ",
    f"\t{ID}\r\n",
    f'"{ID}"',
    f"'{ID}',",
    f"`{ID}`",
    f"<{ID}>",
    f"\u00a0{ID}\u200b",
    f"\ufeff{ID}",
    f"{ARN}/contact/{ID}",
    f"{ARN}/contact/{ID}".upper(),
    f" {ARN}/contact/{ID} ",
    f"https://centre.my.connect.aws/contact-trace-records/details/{ID}",
    f"https://centre.my.connect.aws/contact-trace-records/details/{ID}?tz=Europe%2FBerlin",
    f"https://centre.awsapps.com/connect/contact-trace-records/details/{ID}#summary",
]
NO_IDS = ["", " ", '""', f"{ARN}/queue/{ID}", ARN, f"{ID} {ID}", f"{ID}, and another", "task 4711", f"contact/{ID}",
          "https://centre.my.connect.aws/contact-trace-records"]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_an_id_is_read_however_it_was_copied(text):
    assert contact_id_of(text) == ID


@pytest.mark.parametrize("text", NO_IDS)
def test_a_text_that_cannot_be_an_id_is_refused(text):
    with pytest.raises(ValueError, match=r"is no id of a contact|is the ARN of another kind"):
        contact_id_of(text)


@given(st.uuids(), st.text(alphabet=" \t\n\"'`<>,;\u200b", max_size=4), st.booleans())
def test_a_uuid_is_the_same_id_in_capitals_and_among_blanks(uuid, around, capitals):
    text = str(uuid).upper() if capitals else str(uuid)

    assert contact_id_of(around + text + around) == str(uuid)


def test_another_text_without_blanks_stays_as_it_is():
    assert contact_id_of("Contact-4711") == "Contact-4711"


OTHER = "99999999-2222-3333-4444-555555555555"
HOME = Home(INSTANCE, "eu-central-1", "123456789012")
FOREIGN = {
    "another instance": (
        f"arn:aws:connect:eu-central-1:123456789012:instance/{OTHER}",
        f"belongs to instance {OTHER} in eu-central-1, account 123456789012",
    ),
    "another region": (
        f"arn:aws:connect:us-west-2:123456789012:instance/{INSTANCE}",
        f"belongs to instance {INSTANCE} in us-west-2, account 123456789012",
    ),
    "another account": (
        f"arn:aws:connect:eu-central-1:999999999999:instance/{INSTANCE}",
        f"belongs to instance {INSTANCE} in eu-central-1, account 999999999999",
    ),
    "another service": ("arn:aws:sqs:eu-central-1:123456789012:instance/i", "is no ARN of a {kind} of Amazon Connect"),
    "no resource": (f"arn:aws:connect:eu-central-1:123456789012:domain/{INSTANCE}", "is no ARN of a {kind} of Amazon"),
}
KINDS = {
    "contact": "contact",
    "queue": "queue",
    "agent": "agent",
    "contact-flow": "flow",
    "operating-hours": "hours of operation",
}


@pytest.mark.parametrize("segment", KINDS)
@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("capitals", [False, True], ids=["as it is", "capitals"])
def test_an_arn_of_elsewhere_is_objected_to_with_the_place_it_belongs_to(foreign, segment, capitals):
    arn, why = FOREIGN[foreign]
    text = f"{arn}/{segment}/{ID}"

    objection = HOME.objection(text.upper() if capitals else text, KINDS[segment])

    assert objection is not None
    assert why.format(kind=KINDS[segment]) in objection
    assert "\n" not in objection


@pytest.mark.parametrize("segment", KINDS)
@pytest.mark.parametrize("wanted", KINDS.values())
def test_an_arn_of_this_instance_is_that_of_its_own_kind_only(segment, wanted):
    objection = HOME.objection(f"{ARN}/{segment}/{ID}", wanted)

    assert (objection is None) is (KINDS[segment] == wanted)
    assert objection is None or objection == f"is the ARN of another kind ({KINDS[segment]}), not of a {wanted}"


@pytest.mark.parametrize("home", [Home(), Home(INSTANCE), Home(INSTANCE, "eu-central-1"), Home(INSTANCE.upper())])
def test_what_is_not_known_of_the_instance_is_not_objected_to(home):
    assert home.objection(f"{ARN}/contact/{ID}", "contact") is None


def test_a_contact_of_another_instance_is_refused_with_both_instances():
    with pytest.raises(ValueError, match="belongs to instance") as refused:
        contact_id_of(f" {FOREIGN['another instance'][0]}/contact/{ID} ", HOME)

    assert str(refused.value).endswith(
        f"this router works for instance {INSTANCE} in eu-central-1, account 123456789012"
    )
