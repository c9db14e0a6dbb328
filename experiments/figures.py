"""The report's figures: narrow enough for a telephone, drawn once, recoloured by style sheet.

Each drawing gives a PNG for the folder and an SVG for the page, in which the palette's colours are
CSS variables, so that one picture serves light, dark and print.
"""

import io
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import matplotlib
import matplotlib.dates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments import metrics, words
from experiments.labels import LABELS, SIMULATION

PALETTE = {
    "ink": "#1d2733",
    "muted": "#66717f",
    "grid": "#d4dae2",
    "generated": "#2364d2",
    "human": "#c4681a",
    "mark": "#0f8a5f",
}
ARM_COLOURS = {arm: PALETTE[arm] for arm in ("generated", "human")}
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    # A channel's name is text, dollars and all.
    "text.parse_math": False,
    "axes.edgecolor": PALETTE["muted"],
    "axes.labelcolor": PALETTE["ink"],
    "text.color": PALETTE["ink"],
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.labelcolor": PALETTE["ink"],
    "ytick.labelcolor": PALETTE["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": PALETTE["grid"],
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "memegen",
}
WIDTH = 4.4


@dataclass(frozen=True)
class Drawing:
    name: str
    svg: str
    png: bytes


def draw_all(
    facts: Mapping[str, Any],
    shares: Mapping[str, Mapping[str, Sequence[float]]],
    snapshots: Sequence[Mapping[str, Any]],
    growth: Sequence[Mapping[str, Any]],
    language: str,
    *,
    with_png: bool = True,
) -> dict[str, Drawing]:
    """Every figure that has something to show; `shares` is channel → arm → shares of posts."""
    drawers: dict[str, Callable[[], Figure | None]] = {
        "effect": lambda: effect_by_week(facts, language),
        "shares": lambda: share_spread(shares, language),
        "ages": lambda: accumulation(snapshots, language),
        "channels": lambda: by_channel(facts["channels"], language),
        "metrics": lambda: metrics_against_threshold(facts["metrics"], language),
        "partners": lambda: partner_rates(facts["boxes"], language),
        "growth": lambda: member_growth(growth, language),
    }
    drawings = {}
    with matplotlib.rc_context(_STYLE):
        for name, draw in drawers.items():
            figure = draw()
            if figure is not None:
                drawings[name] = render(name, figure, with_png=with_png)
    return drawings


def render(name: str, figure: Figure, *, with_png: bool = True) -> Drawing:
    """PNG on white for the folder, SVG with CSS variables for the page."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    png = io.BytesIO()
    if with_png:
        figure.savefig(png, format="png", dpi=160, facecolor="white")
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    # Several drawings share one page: their ids must not meet.
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    for role, colour in PALETTE.items():
        svg = svg.replace(colour, f"var(--{role})")
    return Drawing(name, svg, png.getvalue())


def effect_by_week(facts: Mapping[str, Any], language: str) -> Figure | None:
    weeks = [week for week in facts["weeks"] if week["effect_so_far"] is not None]
    if not weeks:
        return None
    figure, axes = _axes(2.9)
    x = np.array([week["look"] for week in weeks])
    low, high = (100 * np.array([week["interval"][end] for week in weeks]) for end in (0, 1))
    axes.fill_between(x, low, high, color=PALETTE["generated"], alpha=0.17, linewidth=0)
    axes.errorbar(x, (low + high) / 2, (high - low) / 2, fmt="none", ecolor=PALETTE["generated"],
                  alpha=0.35, capsize=3)  # fmt: skip
    axes.plot(x, [100 * week["effect_so_far"] for week in weeks], color=PALETTE["generated"],
              linewidth=2, marker="o", markersize=4)  # fmt: skip
    own = [week for week in weeks if week["effect"] is not None]
    axes.scatter([week["look"] for week in own], [100 * week["effect"] for week in own],
                 s=18, color=PALETTE["muted"], zorder=3)  # fmt: skip
    axes.axhline(0, color=PALETTE["ink"], linewidth=1)
    axes.axhline(-100 * facts["margin"], color=PALETTE["muted"], linewidth=1, linestyle="--")
    if facts["stopped"]:
        axes.axvline(facts["stopped"]["look"], color=PALETTE["mark"], linewidth=1.5)
    # One early week has an interval of ±100 points; it must not flatten all the others.
    seen = [100 * week[key] for week in weeks for key in ("effect_so_far", "effect")
            if week[key] is not None]  # fmt: skip
    top = max(8.0, 1.3 * max([*seen, float(high[-1])]))
    bottom = max(8.0, 130 * facts["margin"], 1.3 * -min([*seen, float(low[-1])]))
    axes.set_ylim(-min(bottom, 105), min(top, 105))
    axes.set_xlim(0.5, max(facts["planned_looks"], x.max()) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.yaxis.set_major_formatter(_number_axis(language))
    axes.set_xlabel(_label("week_axis", language))
    axes.set_ylabel(_label("difference_axis", language))
    return figure


def share_spread(
    shares: Mapping[str, Mapping[str, Sequence[float]]], language: str
) -> Figure | None:
    pooled = {
        arm: [y for arms in shares.values() for y in arms.get(arm, ())] for arm in ARM_COLOURS
    }
    if not any(pooled.values()):
        return None
    figure, axes = _axes(2.3)
    rng = np.random.default_rng(0)
    for position, (arm, colour) in enumerate(ARM_COLOURS.items()):
        values = np.array(pooled[arm])
        if not values.size:
            continue
        spread = rng.uniform(-0.3, 0.3, values.size)
        size = 14 if values.size < 300 else 5
        axes.scatter(values, position + spread, s=size, color=colour, alpha=0.35, linewidth=0,
                     rasterized=values.size > 400)  # fmt: skip
        first, median, third = np.quantile(values, [0.25, 0.5, 0.75])
        axes.add_patch(_box(first, third, position))
        axes.plot(
            [median, median], [position - 0.36, position + 0.36], color=PALETTE["ink"], linewidth=2
        )
    axes.set_yticks([0, 1], [f"{_label(arm, language)}\n{len(pooled[arm])}" for arm in ARM_COLOURS])
    axes.set_ylim(1.55, -0.55)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(_percent_axis(language))
    axes.grid(axis="y", visible=False)
    return figure


def accumulation(snapshots: Sequence[Mapping[str, Any]], language: str) -> Figure | None:
    sums: dict[str, dict[float, list[float]]] = {arm: defaultdict(list) for arm in ARM_COLOURS}
    for row in snapshots:
        if row.get("arm") in sums and row.get("likes") is not None:
            reactions = float(row["likes"]) + float(row.get("dislikes") or 0)
            sums[row["arm"]][float(row["age_h"])].append(reactions)
    if not any(sums.values()):
        return None
    figure, axes = _axes(2.5)
    for arm, ages in sums.items():
        if ages:
            x = sorted(ages)
            axes.plot(x, [np.mean(ages[age]) for age in x], marker="o", markersize=4, linewidth=2,
                      color=ARM_COLOURS[arm], label=_label(arm, language))  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(_label("age_axis", language))
    axes.set_ylabel(_label("reactions_axis", language))
    axes.yaxis.set_major_formatter(_number_axis(language))
    axes.legend(loc="lower right")
    return figure


def by_channel(channels: Sequence[Mapping[str, Any]], language: str) -> Figure | None:
    rows = [row for row in channels if row["effect"] is not None][:20]
    if not rows:
        return None
    figure, axes = _axes(0.9 + 0.36 * len(rows))
    for position, row in enumerate(rows):
        low, high = (100 * end for end in row["interval"])
        axes.plot(
            [low, high], [position, position], color=PALETTE["generated"], linewidth=2, alpha=0.5
        )
        axes.plot(100 * row["effect"], position, "o", color=PALETTE["generated"], markersize=6)
    axes.axvline(0, color=PALETTE["ink"], linewidth=1)
    axes.set_yticks(range(len(rows)), [_short(row["channel"]) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    axes.xaxis.set_major_formatter(_number_axis(language))
    axes.set_xlabel(_label("difference_axis", language))
    axes.grid(axis="y", visible=False)
    return figure


def metrics_against_threshold(
    found: Mapping[str, Mapping[str, Any]], language: str
) -> Figure | None:
    names = [
        name
        for name in metrics.NAMES
        if any(found[name][arm]["value"] is not None for arm in ARM_COLOURS)
    ]
    if not names:
        return None
    figure, axes = _axes(0.9 + 0.52 * len(names))
    for position, name in enumerate(names):
        for shift, (arm, colour) in zip((-0.15, 0.15), ARM_COLOURS.items(), strict=True):
            row = found[name][arm]
            if row["value"] is None:
                continue
            axes.plot(row["interval"], [position + shift] * 2, color=colour, linewidth=2, alpha=0.5)
            axes.plot(row["value"], position + shift, "o", color=colour, markersize=6,
                      label=_label(arm, language) if position == 0 else None)  # fmt: skip
    axes.axvline(metrics.THRESHOLD, color=PALETTE["mark"], linewidth=1.5)
    axes.set_yticks(range(len(names)), [_label(name, language) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(_number_axis(language))
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    return figure


def partner_rates(found: Mapping[str, Any] | None, language: str) -> Figure | None:
    rows = (found or {}).get("partners", [])[:20]
    if not rows:
        return None
    figure, axes = _axes(0.9 + 0.46 * len(rows))
    labelled: set[str] = set()
    for position, row in enumerate(rows):
        for shift, (arm, colour) in zip((-0.14, 0.14), ARM_COLOURS.items(), strict=True):
            if row[arm]["rate"] is None:
                continue
            axes.plot(
                row[arm]["wilson"], [position + shift] * 2, color=colour, linewidth=2, alpha=0.5
            )
            axes.plot(row[arm]["rate"], position + shift, "o", color=colour, markersize=6,
                      label=None if arm in labelled else _label(arm, language))  # fmt: skip
            labelled.add(arm)
    axes.set_yticks(range(len(rows)), [_short(row["partner"]) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(_percent_axis(language))
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    return figure


def member_growth(growth: Sequence[Mapping[str, Any]], language: str) -> Figure | None:
    channels: dict[str, list[tuple[date, float]]] = defaultdict(list)
    for row in growth:
        if row.get("members") is not None:
            day = row["date"]
            day = date.fromisoformat(str(day)[:10])
            channels[str(row["channel"])].append((day, float(row["members"])))
    if not channels:
        return None
    figure, axes = _axes(2.4)
    styles = ["-", "--", ":", "-."]
    for index, (name, points) in enumerate(sorted(channels.items())[:8]):
        points.sort()
        colour = PALETTE[("generated", "mark", "human", "muted")[index % 4]]
        axes.plot(
            np.array([day for day, _ in points]),
            [members for _, members in points],
            color=colour,
            linewidth=2,
            linestyle=styles[index // 4 % 4],
            marker="o" if len(points) == 1 else None,
            label=_short(name),
        )
    axes.yaxis.set_major_formatter(_number_axis(language))
    days = [day for points in channels.values() for day, _ in points]
    if len(set(days)) == 1:
        middle = float(matplotlib.dates.date2num(days[0]))
        axes.set_xlim(middle - 3, middle + 3)
    axes.xaxis.set_major_locator(matplotlib.dates.AutoDateLocator(maxticks=5))
    axes.xaxis.set_major_formatter(
        matplotlib.dates.DateFormatter("%d.%m" if language == "ru" else "%m-%d")
    )
    axes.legend(loc="best")
    return figure


def draw_simulation(found: Mapping[str, Any], language: str = "en") -> Figure:
    """Share decided by each registered look; `found` is name → simulate.Outcome."""
    said = {key: texts[language] for key, texts in SIMULATION.items()}
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for outcome, colour in zip(found.values(), (PALETTE["human"], PALETTE["mark"]), strict=False):
        looks = np.arange(1, outcome.model.weeks + 1)
        label = f"{said['effect']} {words.points(outcome.model.effect, language)}"
        axes.plot(looks, outcome.rejected_by_look, "o-", markersize=4, color=colour, label=label)
    axes.axhline(0.05, color=PALETTE["muted"], linestyle="--", linewidth=1, label=said["level"])
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.yaxis.set_major_formatter(_percent_axis(language))
    axes.set_xlabel(_label("look", language))
    axes.set_ylabel(said["decided"])
    axes.legend(frameon=False)
    return figure


def _axes(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _box(first: float, third: float, position: int) -> Any:
    return Rectangle((first, position - 0.36), max(third - first, 0.002), 0.72, fill=False,
                     edgecolor=PALETTE["ink"], linewidth=1.2)  # fmt: skip


def _percent_axis(language: str) -> FuncFormatter:
    return FuncFormatter(lambda value, _: words.percent(value, language, 0))


def _number_axis(language: str) -> FuncFormatter:
    """As many decimals as the tick needs, at most two."""

    def write(value: float, _: Any) -> str:
        digits = next((n for n in (0, 1) if abs(value - round(value, n)) < 1e-9), 2)
        return words.number(value, language, digits)

    return FuncFormatter(write)


def _label(key: str, language: str) -> str:
    return LABELS[key][language]


def _short(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"
