"""Compares two versions of botocore's model of Amazon Connect, for the operations that the product calls.

    python tests/api_model/diff.py [BEFORE [NOW]]

Each version is the number of a release of botocore, or the path of an installed ``botocore`` package. Without arguments
it compares the version that docs/api-changes.md names with the version in requirements.lock, and writes the page. The
comparison covers operations, members, enums, constraints and sentences of the documentation.
"""

import gzip
import html
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from router.connect.iam import AUTHORISED_ON

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "api-changes.md"
LOCK = ROOT / "requirements.lock"
OPERATIONS = sorted({*AUTHORISED_ON, "DescribeInstance", "PauseContact", "ResumeContact"})
"""What the product calls, and the two operations whose effects it must understand."""
MODEL = "botocore/data/connect/2017-08-08/service-2.json.gz"
CONSTRAINTS = ("min", "max", "pattern", "enum", "required", "deprecated")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def model_of(version: str) -> Mapping[str, Any]:
    """Returns the service model of a release, which pip downloads, or of an installed package."""
    if "/" in version:
        data = (Path(version).parent / MODEL).read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
            subprocess.run([*pip, f"botocore=={version}"], check=True)
            with zipfile.ZipFile(next(Path(folder).glob("botocore-*.whl"))) as wheel:
                data = wheel.read(MODEL)
    model: Mapping[str, Any] = json.loads(gzip.decompress(data))
    return model


def facts_of(model: Mapping[str, Any], operation: str) -> dict[str, str]:
    """Returns each fact of an operation by its place, for example ``input.ContactId: type``."""
    found = model["operations"].get(operation)
    if found is None:
        return {}
    facts = {f"documentation: {sentence}": "" for sentence in sentences(found)}
    facts |= {f"error {each['shape']}": "" for each in found.get("errors", ())}
    for part in ("input", "output"):
        if part in found:
            facts |= dict(_members(model["shapes"], found[part]["shape"], part, ()))
    return facts


def _members(shapes: Mapping[str, Any], name: str, place: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    shape = shapes[name]
    yield f"{place}: type", shape["type"]
    yield from ((f"{place}: {each}", json.dumps(shape[each])) for each in CONSTRAINTS if each in shape)
    if name in above:  # a shape that contains itself
        return
    inner = [("[]", shape[key]) for key in ("member", "value") if key in shape]
    for member, of in (*shape.get("members", {}).items(), *inner):
        inside = f"{place}.{member}"
        yield from ((f"{inside}: documentation: {sentence}", "") for sentence in sentences(of))
        yield from _members(shapes, of["shape"], inside, (*above, name))


def sentences(described: Mapping[str, Any]) -> list[str]:
    """Returns the sentences of a documentation text, without its markup."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", described.get("documentation", "")))
    plain = re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))
    return [sentence for sentence in SENTENCE.split(plain) if sentence]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns the operation, what happened (``+`` added, ``-`` removed, ``~`` changed) and the fact.

    Of a member that is new or gone as a whole, what is inside it is left out.
    """
    found = []
    for operation in OPERATIONS:
        old, new = facts_of(before, operation), facts_of(after, operation)
        found += [(operation, "-", fact) for fact in _outermost(old, new)]
        found += [(operation, "+", fact) for fact in _outermost(new, old)]
        changed = ((fact, old[fact], new[fact]) for fact in new if fact in old and old[fact] != new[fact])
        found += [(operation, "~", f"{fact} {was} -> {now}") for fact, was, now in changed]
    return found


def _outermost(facts: Mapping[str, str], others: Mapping[str, str]) -> Iterator[str]:
    only = [fact for fact in facts if fact not in others]
    members = {fact.removesuffix(": type") for fact in only if fact.endswith(": type")}
    for fact in only:
        place = fact.partition(": ")[0]
        parts = place.split(".")
        above = (".".join(parts[:count]) for count in range(1, len(parts)))
        if not any(each in members for each in above):
            yield f"{fact} {facts[fact]}".strip()


def table(found: list[tuple[str, str, str]]) -> str:
    rows = [f"| `{operation}` | {sign} | {_cell(fact)} |" for operation, sign, fact in found]
    return "\n".join(["| operation | | fact |", "|---|---|---|", *rows] if rows else ["No difference."])


def _cell(fact: str) -> str:
    return "`" + fact.replace("|", "\\|").replace("`", "'") + "`"


def compared_on_the_page() -> tuple[str, str]:
    """Returns the two versions that the page compares: the one before and the pinned one."""
    found = re.search(r"botocore (\S+) is pinned\. The version before was (\S+)\.\n", PAGE.read_text(encoding="utf-8"))
    assert found is not None, "the page names both versions"
    return found[2], found[1]


def pinned() -> str:
    """Returns the version of botocore in the lock of the product."""
    found = re.search(r"^botocore==(\S+)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert found is not None, "the lock pins botocore"
    return found[1]


def main(versions: list[str]) -> None:
    before = versions[0] if versions else compared_on_the_page()[1]
    now = versions[1] if len(versions) > 1 else pinned()
    if before == now:
        print(f"The pin has not moved: botocore {now}. docs/api-changes.md shows what came with it.")
        return
    result = table(differences(model_of(before), model_of(now)))
    print(result)
    if not versions:
        text = PAGE.read_text(encoding="utf-8").partition("## The comparison\n")[0]
        head = f"## The comparison\n\nbotocore {now} is pinned. The version before was {before}.\n\n"
        PAGE.write_text(f"{text}{head}{result}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
