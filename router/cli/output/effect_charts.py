"""Draws the charts of a report as SVG: the waits of a queue, and its length over time.

Matplotlib draws them. It is an extra, and is imported only here. Lines differ by dashes and not only by colour. Text
stays text, and nothing is loaded from anywhere.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from router.cli.errors import CommandFailed
from router.problems import printable
from router.runtime import install_command
from router.simulation.tally import QueueTally, bounds_of
from router.simulation.trace import Trace

if TYPE_CHECKING:
    from router.model import QueueId

SIZE = (4.6, 2.9)
"""Inches. A chart is so narrow that its text can be read on a phone."""
BEFORE: dict[str, Any] = {"color": "#1b4f8f", "linestyle": "-", "linewidth": 1.8}
AFTER: dict[str, Any] = {"color": "#b4530a", "linestyle": "--", "linewidth": 1.8}
MARK: dict[str, Any] = {"color": "#333333", "linewidth": 1.0}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "connect-router",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def require_matplotlib() -> None:
    """Raises ``CommandFailed`` if matplotlib is not installed, before anything is simulated."""
    try:
        import matplotlib as _  # noqa: F401
    except ImportError:
        line = f"connect-router: --html needs the package matplotlib: {install_command('matplotlib')}"
        raise CommandFailed(line, misconfigured=True) from None


def waits_chart(number: int, name: str, sides: Sequence[tuple[str, QueueTally]], promise: float | None) -> str:
    """Returns the shares of the contacts that wait no longer than a time, for each side, and the promise."""

    def draw(axes: Any) -> None:
        top = max((side.quantile(0.97) or 0.0 for _, side in sides), default=0.0)
        top = max(top, (promise or 0.0) * 1.2, 1.0)
        unit, word = (60.0, "minutes") if top < 4 * 3600 else (3600.0, "hours")
        for (label, side), style in zip(sides, (BEFORE, AFTER), strict=False):
            times, shares = _cumulative(side)
            axes.plot([one / unit for one in times], [100 * one for one in shares], label=label, **style)
        if promise is not None:
            axes.axvline(promise / unit, linestyle=":", label="promise", **MARK)
        axes.set(xlim=(0, top / unit), ylim=(0, 101), xlabel=f"wait, {word}", ylabel="% of the contacts")
        axes.legend(facecolor="white", framealpha=1, edgecolor="none", loc="lower right")

    return _svg(number, f"Waits: {name}", draw)


def _cumulative(tally: QueueTally) -> tuple[list[float], list[float]]:
    times, shares, seen = [0.0], [0.0], 0
    for number, many in sorted(tally.classes.items()):
        seen += many
        times.append(bounds_of(number)[1])
        shares.append(seen / max(tally.waits, 1))
    return times, shares


def lengths_chart(number: int, name: str, queue_id: QueueId, sides: Sequence[tuple[str, Trace]]) -> str:
    """Returns how many contacts wait over time, with a mark for each move out of the queue or into it."""

    def draw(axes: Any) -> None:
        for (label, trace), style in zip(sides, (BEFORE, AFTER), strict=False):
            lengths = trace.lengths.get(queue_id, [0] * len(trace.times))
            axes.plot([one / 86_400 for one in trace.times], lengths, drawstyle="steps-post", label=label, **style)
        _, last = sides[-1]
        for marker, title, place in (("v", "moved out", 1), ("^", "moved in", 2)):
            at = [move[0] / 86_400 for move in last.moves if move[place] == queue_id]
            if at:
                axes.plot(at, [0] * len(at), marker, color="#333333", markersize=4, fillstyle="none", label=title)
        axes.set(xlabel="days since the start", ylabel="contacts waiting")
        axes.legend(facecolor="white", framealpha=1, edgecolor="none", loc="upper right")

    return _svg(number, f"Over time: {name}", draw)


def _svg(number: int, title: str, draw: Callable[[Any], None]) -> str:
    """Returns one chart, with ids that no other chart of the page has."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name may have letters that the font for measuring lacks
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(printable(title), loc="left", fontsize=11)
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>chart-{number}-", svg)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 role="img"', svg, count=1)
