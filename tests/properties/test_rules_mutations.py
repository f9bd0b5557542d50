"""However a rule file is broken: located problems or rules, never anything else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from router.model import Directory
from router.problems import Problem, Problems
from router.prove.lint import lint
from router.rules.bind import bind
from router.rules.load import parse_rules
from tests.builders.effort import scaled

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [path.read_bytes() for path in sorted((ROOT / "rules").glob("*.toml"))]
CORPUS = [path.read_bytes() for path in sorted((ROOT / "tests" / "corpus" / "rules").rglob("*.toml"))]
PIECES = [
    *(
        b'"',
        b"'",
        b"[",
        b"]",
        b"{",
        b"}",
        b"=",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"# ",
        b"[[[[",
        b"\\u0000",
    ),
    *(b"[[rule]]\n", b"[rule.match]\n", b"[[rule.step]]\n", b"[rule.sla]\n", b"[lists]\n", b"[defaults]\n"),
    *(
        b"[[example]]\n",
        b'at = "breach"\n',
        b'to = "x"\n',
        b'match.queue = "*"\n',
        b"{ any = [",
        b'"99999d"',
        b'"100%"',
    ),
    *(
        b"1e400",
        b"nan",
        b"true",
        b"9" * 5000,
        b"2026-01-01",
        b"0001-01-01T00:00:00+23:59",
        b"9999-12-31T23:59:59-23:59",
    ),
]


def judge(data: bytes) -> None:
    """Proves and binds a file that loads, without a problem; otherwise checks that each problem has a line."""
    problems: tuple[Problem, ...]
    try:
        ruleset = parse_rules([("r.toml", data)])
    except Problems as error:
        problems = error.problems or (Problem("r.toml", 0, 0, "refused without a reason"),)
    else:
        problems = tuple(lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3))
        bind(ruleset, Directory(), agents_known=True)
    for problem in problems:
        _well_told(problem, data)


def _well_told(problem: Problem, data: bytes) -> None:
    assert problem.file == "r.toml"
    assert 1 <= problem.line <= data.count(b"\n") + 1
    assert problem.column >= 1
    assert str(problem).isprintable()
    for jargon in ("pydantic", "Input should", "validation", "<class", "function-", "Traceback", "None"):
        assert jargon not in problem.message


@given(st.binary(max_size=300))
def test_any_bytes(data):
    judge(data)


@given(
    st.sampled_from(SHIPPED + CORPUS),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(PIECES) | st.binary(max_size=4)), max_size=4
    ),
)
@settings(max_examples=scaled(300))
def test_files_with_pieces_taken_out_and_put_in(data, changes):
    for where, length, piece in changes:
        at = int(where * len(data))
        data = data[:at] + piece + data[at + length :]
    judge(data)


@given(st.sampled_from(SHIPPED + CORPUS), st.randoms(use_true_random=False))
@settings(max_examples=scaled(200))
def test_files_with_their_lines_shuffled(data, random):
    lines = data.split(b"\n")
    for _ in range(3):
        one, other = random.randrange(len(lines)), random.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    judge(b"\n".join(lines))


INNER_KEYS = st.sampled_from(["min", "max", "not", "queue", "a"])
VALUES = st.recursive(
    st.sampled_from(["", "x", "*", "5m", "TASK", "VOICE", "breach", "50%", "nothing", "open"])
    | st.integers(-3, 12)
    | st.booleans()
    | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER_KEYS, inner, max_size=3),
    max_leaves=5,
)
OF_A_RULE = [
    "name",
    "match",
    "match.queue",
    "match.channel",
    "match.waited",
    "match.tags",
    "match.any",
    "match.hours",
    "sla",
    "sla.target",
    "step",
    "step.at",
    "step.to",
    "step.warn",
    "step.routing",
    "guard",
    "from",
]
OF_AN_EXAMPLE = ["contact", "contact.visited", "expect", "queues", "now"]
OF_A_FILE = ["defaults", "lists", "rule", "example", "defaults.flow", "defaults.sla", "defaults.guard", "lists.a"]
KEYS = st.sampled_from(
    [*OF_A_FILE, *(f"rule.{key}" for key in OF_A_RULE), *(f"example.{key}" for key in OF_AN_EXAMPLE)]
)


def as_toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=5, unique_by=lambda pair: pair[0]))
@example([("rule", [{"a": 1}]), ("lists", {"a": []})])
@settings(max_examples=scaled(400))
def test_any_value_for_any_key(pairs):
    judge("".join(f"{key} = {as_toml(value)}\n" for key, value in pairs).encode())


@given(KEYS.filter(lambda key: key.startswith(("rule.", "example."))), VALUES)
@settings(max_examples=scaled(400))
def test_any_value_for_one_key_of_a_sound_file(key, value):
    table, _, name = key.partition(".")
    sound = {
        "rule": '[[rule]]\nname = "r"\nmatch.queue = "A"\nsla.target = "1h"\nguard.per_hour = 3\n',
        "example": '[[example]]\nname = "e"\ncontact = { channel = "TASK", queue = "A" }\nexpect = "nothing"\n',
    }
    lines = [line for line in sound[table].split("\n") if not line.startswith(name.partition(".")[0])]
    lines.insert(1, f"{name} = {as_toml(value)}")
    judge("\n".join(lines).encode())
