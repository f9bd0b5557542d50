"""Draws the pictures of docs/architecture.md from the code and from the page's own table: ``make pictures``.

``packages.svg`` shows the layers of ``.importlinter``; the words are the first sentence of each package.
``way.svg`` shows one late contact's way through the packages, a row for each function of the page's table.
"""

import ast
import configparser
import re
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
WIDTH = 960
ROW = re.compile(r"^\| ([^|]+?) \| `(router(?:\.\w+)+):([\w.]+)` \|", re.MULTILINE)
"""A row of the table of a contact's way: the step, the module and the function."""
STYLE = """\
  <style>
    .box { fill: #eef4ff; stroke: #2f5aa8 }
    .step { fill: #2f5aa8 }
    .lane { stroke: #c4ccd8; stroke-dasharray: 2 4 }
    .way { stroke: #2f5aa8; stroke-width: 2; fill: none }
    .name { fill: #16233b; font-weight: 600 }
    .text { fill: #44506a; font-size: 11px }
    .code { fill: #16233b; font-size: 12px; font-family: ui-monospace, monospace }
    @media (prefers-color-scheme: dark) {
      .box { fill: #1d2a44; stroke: #7fa3e6 } .name, .code { fill: #eef2fa } .text { fill: #b6c2d9 }
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


PICTURES = {"packages.svg": packages_picture, "way.svg": way_picture}

if __name__ == "__main__":
    for file, draw in PICTURES.items():
        (IMAGES / file).write_text(draw(), encoding="utf-8")
