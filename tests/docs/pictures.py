"""Draws the pictures of README.md and docs/ from the code and from the pages' own samples: ``make pictures``.

``packages.svg`` shows the layers of ``.importlinter``; the words are the first sentence of each package.
``way.svg`` shows one late contact's way through the packages, a row for each function of the page's table.
``concepts.svg`` shows one wait under the rule of docs/concepts.md.
``demo.svg`` shows the output of the demo in docs/commands.md.
"""

import ast
import configparser
import re
from datetime import timedelta
from html import escape
from itertools import pairwise
from pathlib import Path

from router.durations import format_duration
from router.rules.load import parse_rules

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
WIDTH = 960
COLUMNS = 122
"""The characters of a terminal's line in a picture of this width."""
ROW = re.compile(r"^\| ([^|]+?) \| `(router(?:\.\w+)+):([\w.]+)` \|", re.MULTILINE)
"""A row of the table of a contact's way: the step, the module and the function."""
STYLE = """\
  <style>
    .box { fill: #eef4ff; stroke: #2f5aa8 }
    .step { fill: #2f5aa8 }
    .lane { stroke: #c4ccd8; stroke-dasharray: 2 4 }
    .way { stroke: #2f5aa8; stroke-width: 2; fill: none }
    .breach { stroke: #b3261e; stroke-width: 2 } .late { fill: #b3261e }
    .screen { fill: #16233b }
    .shown { fill: #dbe4f5; font-size: 12.5px; font-family: ui-monospace, monospace; white-space: pre }
    .moved { fill: #8fd19e } .held { fill: #f0c674 } .dim { fill: #93a1bb }
    .name { fill: #16233b; font-weight: 600 }
    .text { fill: #44506a; font-size: 11px }
    .code { fill: #16233b; font-size: 12px; font-family: ui-monospace, monospace }
    @media (prefers-color-scheme: dark) {
      .box { fill: #1d2a44; stroke: #7fa3e6 } .name, .code { fill: #eef2fa } .text { fill: #b6c2d9 }
      .breach { stroke: #f2938c } .late { fill: #f2938c }
      .step { fill: #7fa3e6 } .way { stroke: #7fa3e6 } .lane { stroke: #44506a }
    }
  </style>
"""


def layers() -> list[list[str]]:
    """Returns the packages and modules of each layer of ``router``, the top one first."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter", encoding="utf-8")
    lines = config["importlinter:contract:one-way"]["layers"].split("\n")
    return [re.split(r"\s*[|:]\s*", line.strip()) for line in lines if line.strip()]


def first_sentence(name: str) -> str:
    """Returns what a package or a module is for, in its own words."""
    path = ROOT / "router" / name
    text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    doc = " ".join((ast.get_docstring(ast.parse(text)) or "").split())
    return re.split(r"(?<=[.])\s|: ", doc)[0].rstrip(".").replace("``", "")


def walk() -> list[tuple[str, str, str]]:
    """Returns the step, the package and the function of each row of the page's table."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return [(step, module.split(".")[1], name) for step, module, name in ROW.findall(page)]


def packages_picture() -> str:
    parts, y = [], 16
    for row in layers():
        width = (WIDTH - 16 - 12 * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            x = 8 + place * (width + 12)
            parts.append(f'  <rect class="box" x="{x:.0f}" y="{y}" width="{width:.0f}" height="52" rx="6"/>')
            parts.append(f'  <text class="name" x="{x + 10:.0f}" y="{y + 20}">{escape(name)}</text>')
            shown = _fitted(first_sentence(name), width - 20)
            parts += [
                f'  <text class="text" x="{x + 10:.0f}" y="{y + 35 + 12 * number}">{escape(line)}</text>'
                for number, line in enumerate(shown)
            ]
        y += 68
    return _svg(y, "The packages of router in layers; imports point down", parts)


def way_picture() -> str:
    rows = walk()
    lanes = list(dict.fromkeys(package for _, package, _ in rows))
    step = (WIDTH - 420) / max(len(lanes) - 1, 1)
    at = {package: 60 + step * place for place, package in enumerate(lanes)}
    bottom = 60 + 30 * len(rows)
    parts = []
    for package, x in at.items():
        parts.append(f'  <line class="lane" x1="{x:.0f}" y1="34" x2="{x:.0f}" y2="{bottom - 20}"/>')
        parts.append(f'  <text class="name" x="{x:.0f}" y="24" text-anchor="middle">{escape(package)}</text>')
    points = [(at[package], 52 + 30 * number) for number, (_, package, _) in enumerate(rows)]
    parts.append(f'  <polyline class="way" points="{" ".join(f"{x:.0f},{y}" for x, y in points)}"/>')
    for (x, y), (name, _, function) in zip(points, rows, strict=True):
        parts.append(f'  <circle class="step" cx="{x:.0f}" cy="{y}" r="5"/>')
        parts.append(f'  <text class="text" x="{WIDTH - 330}" y="{y + 4}">{escape(name)}</text>')
        parts.append(f'  <text class="code" x="{WIDTH - 240}" y="{y + 4}">{escape(function)}</text>')
    return _svg(bottom, "One late contact's way through the packages, from the search to its log line", parts)


def concepts_picture() -> str:
    """Draws a contact that makes every move of the rule, then waits a while and is answered."""
    [text] = re.findall(
        r"^```toml\n(.*?)^```$", (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8"), re.M | re.S
    )
    rule = parse_rules([("concepts.md", text.encode())]).rules[0]
    assert rule.sla.target is not None
    end = rule.steps[-1].at + timedelta(minutes=45)
    moves = [(step.at, step.entries[0].queue) for step in rule.steps if step.to]
    places = [(timedelta(0), "Billing"), *moves, (end, "an agent")]

    def x(at: timedelta) -> float:
        return 90 + (WIDTH - 200) * (at / end)

    parts = [
        _label(8, row, name, "name") for row, name in ((36, "wait"), (84, "contacts"), (140, "clock"), (196, "ladder"))
    ]
    parts.append(f'  <path class="way" d="M{x(timedelta(0)):.0f} 44V32H{x(end):.0f}V44"/>')
    parts.append(_label(x(end / 2), 24, "one wait, and one chain of contacts", "text", "middle"))
    for number, ((start, queue), (until, _)) in enumerate(pairwise(places), 1):
        left, width = x(start), x(until) - x(start) - 4
        parts.append(f'  <rect class="box" x="{left:.0f}" y="60" width="{width:.0f}" height="44" rx="6"/>')
        parts.append(_label(left + 8, 78, queue, "code"))
        parts.append(_label(left + 8, 95, f"contact {number}", "text"))
    parts.append(_label(x(end) + 6, 86, "an agent", "text"))
    parts.append(f'  <line class="lane" x1="{x(timedelta(0)):.0f}" y1="136" x2="{x(end):.0f}" y2="136"/>')
    for hour in range(int(end / timedelta(hours=1)) + 1):
        at = x(timedelta(hours=hour))
        parts.append(f'  <circle class="step" cx="{at:.0f}" cy="136" r="3"/>')
        parts.append(_label(at, 154, format_duration(timedelta(hours=hour)), "text", "middle"))
    breach = x(rule.sla.target)
    parts.append(f'  <line class="breach" x1="{breach:.0f}" y1="110" x2="{breach:.0f}" y2="136"/>')
    parts.append(_label(breach + 6, 122, "breach", "late"))
    for step in rule.steps:
        action = f"to {step.entries[0].queue}" if step.to else "warn"
        parts.append(f'  <circle class="step" cx="{x(step.at):.0f}" cy="192" r="5"/>')
        parts.append(_label(x(step.at), 232, action, "text", "middle"))
        parts.append(_label(x(step.at), 218, step.label, "code", "middle"))
    return _svg(
        244, "One e-mail: three contacts of one chain, one wait with its clock, and the steps of the ladder", parts
    )


def demo_picture() -> str:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^<!-- connect-router demo [^\n]*-->\n```\n(.*?)^```$", page, re.M | re.S)
    shown = ("$ connect-router demo", *text.splitlines())
    lines = [line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…" for line in shown]
    height = 24 + 18 * len(lines)
    parts = [f'  <rect class="screen" width="{WIDTH}" height="{height}" rx="8"/>']
    parts += [_label(16, 26 + 18 * row, line, f"shown {_kind(line)}".strip()) for row, line in enumerate(lines)]
    return _svg(height, "The output of connect-router demo: moves, warnings and holds, then a summary", parts)


def _kind(line: str) -> str:
    """Returns the colour of a line of the demo."""
    kinds = {
        " -> .* rule |as promised$|^in time": "moved",
        r" held in | in \w+: |^(late|held|no rule)": "held",
        r"^(\$|…|calls|queue )": "dim",
    }
    return next((kind for pattern, kind in kinds.items() if re.search(pattern, line)), "")


def _label(x: float, y: float, text: object, kind: str, anchor: str = "start") -> str:
    return f'  <text class="{kind}" x="{x:.0f}" y="{y}" text-anchor="{anchor}">{escape(str(text))}</text>'


def _fitted(text: str, width: float) -> list[str]:
    """Returns at most two lines of the text; what does not fit ends with an ellipsis."""
    room, lines = int(width / 6.3), [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 1:
        return [lines[0][: room - 1].rstrip(" ,:") + " …"]
    return lines


def _svg(height: int, label: str, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="{escape(label)}" font-family="system-ui, sans-serif" font-size="13">\n'
    )
    return head + STYLE + "\n".join(parts) + "\n</svg>\n"


PICTURES = {
    "packages.svg": packages_picture,
    "way.svg": way_picture,
    "concepts.svg": concepts_picture,
    "demo.svg": demo_picture,
}

if __name__ == "__main__":
    for file, draw in PICTURES.items():
        (IMAGES / file).write_text(draw(), encoding="utf-8")
