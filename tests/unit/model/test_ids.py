"""Checks what people write and copy as the id of a contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model import contact_id_of

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
    with pytest.raises(ValueError, match="is no id of a contact"):
        contact_id_of(text)


@given(st.uuids(), st.text(alphabet=" \t\n\"'`<>,;\u200b", max_size=4), st.booleans())
def test_a_uuid_is_the_same_id_in_capitals_and_among_blanks(uuid, around, capitals):
    text = str(uuid).upper() if capitals else str(uuid)

    assert contact_id_of(around + text + around) == str(uuid)


def test_another_text_without_blanks_stays_as_it_is():
    assert contact_id_of("Contact-4711") == "Contact-4711"
