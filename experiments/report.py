"""The weekly report: report.html, report.md, report.json, CSVs and figures in one folder.

The page is self-contained (pictures inside, no script), light, dark and printable. It is written in
both languages: `report.html` in the chosen one, `report.<other>.html` beside it, each with a link
to the other; `report.md` likewise. docs/report.md describes the files and the JSON schema.
"""

import base64
import csv
import dataclasses
import io
import json
import math
import shlex
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from PIL import Image, UnidentifiedImageError

from experiments import figures, words
from experiments.analysis import Analysis
from experiments.boxes import wilson
from experiments.data import ARMS, POST_COLUMNS, SUGGESTION_COLUMNS
from experiments.labels import METHOD
from experiments.registration import Written, changes
from experiments.sequential import save_state

SCHEMA = "memegen-report/1"
MEMES_SHOWN = 4
THUMBNAIL = 480
PARTNER_COLUMNS = (
    "partner", "route", "offered", "received", "accepted", "rejected", "censored",
    "approved_unpublished", "pending", "last_answer",
)  # fmt: skip


def write_report(
    out_dir: Path,
    analysis: Analysis,
    *,
    week: str,
    language: str = "ru",
    notices: Sequence[str | Mapping[str, str]] = (),
    memes: Sequence[Mapping[str, Any]] = (),
    snapshots: Sequence[Mapping[str, Any]] = (),
    growth: Sequence[Mapping[str, Any]] = (),
    partners: Sequence[Mapping[str, Any]] = (),
    data_quality: Sequence[Mapping[str, Any]] = (),
    registrations: Sequence[Written] = (),
) -> dict[str, Path]:
    """Write all files and return them by name.

    `notices`: text, or {"ru", "en"}, shown first everywhere ("the audience is simulated").
    `memes`: post_id, image_path (None where lost), arm, channel, likes, dislikes, views, caption.
    `snapshots`: post_id, arm, age_h, likes, dislikes, views: all ages.
    `growth`: date, channel, members, and where known joined, left.
    `partners`: partner, route, offered, received, accepted, rejected, censored, last_answer.
    `data_quality`: name and value (text, or {"ru", "en"}), status ("ok", "warn", "alarm").
    Raises ValueError for an unknown language.
    """
    if language not in words.LANGUAGES:
        raise ValueError(f"the report has the languages {words.LANGUAGES}, not {language!r}")
    memes = [_whole_meme(meme) for meme in memes]
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "figures").mkdir(exist_ok=True)
    facts = _report_facts(
        analysis, week, notices, memes, growth, partners, data_quality, registrations
    )
    facts["report"]["ages"] = _ages(snapshots)
    paths = {
        "report.json": _write(out_dir / "report.json", to_json(facts)),
        "posts.csv": _write_posts(out_dir / "posts.csv", analysis),
        "suggestions.csv": _write_suggestions(out_dir / "suggestions.csv", analysis),
        "looks.json": out_dir / "looks.json",
    }
    save_state(analysis.looks_state, paths["looks.json"])
    for item in registrations:
        paths[item.path.name] = out_dir / item.path.name
        if item.path.resolve() != paths[item.path.name].resolve():
            shutil.copyfile(item.path, paths[item.path.name])
    pictures = {id(meme): _thumbnail(meme.get("image_path")) for meme in memes}
    best, worst = rank_memes(memes)
    shown = {
        name: [{**meme, "picture": pictures[id(meme)]} for meme in group]
        for name, group in (("best", best), ("worst", worst))
    }
    other = next(code for code in words.LANGUAGES if code != language)
    for code in (language, other):
        drawings = figures.draw_all(
            facts, _shares(analysis), snapshots, growth, code, with_png=code == language
        )
        suffix, opposite = ("", f".{other}") if code == language else (f".{code}", "")
        if code == language:
            for old in (out_dir / "figures").glob("*.png"):
                old.unlink()
            for drawing in drawings.values():
                path = out_dir / "figures" / f"{drawing.name}.png"
                path.write_bytes(drawing.png)
                paths[f"figures/{path.name}"] = path
        context = _texts(facts, code) | {
            "facts": facts,
            "figures": drawings,
            "memes": shown,
            "opposite": opposite,
        }
        for kind in ("html", "md"):
            name = f"report{suffix}.{kind}"
            paths[name] = _write(out_dir / name, _render(kind, code, context))
    return paths


def to_json(facts: Mapping[str, Any]) -> str:
    """JSON of the facts; raises ValueError rather than write NaN or Infinity."""
    return json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def rank_memes(
    memes: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Best by the lower Wilson limit of the share, worst by the upper; no meme is in both."""
    known = [
        (wilson(int(meme["likes"]), int(meme["likes"]) + int(meme["dislikes"])), meme)
        for meme in memes
        if meme.get("likes") is not None and (meme["likes"] or meme.get("dislikes"))
    ]
    each = min(MEMES_SHOWN, math.ceil(len(known) / 2))
    by_low = sorted(known, key=lambda item: -item[0][0])
    best = [meme for _, meme in by_low[:each]]
    rest = sorted(by_low[each:], key=lambda item: item[0][1])
    return best, [meme for _, meme in rest[:each]]


def _report_facts(
    analysis: Analysis,
    week: str,
    notices: Sequence[str | Mapping[str, str]],
    memes: Sequence[Mapping[str, Any]],
    growth: Sequence[Mapping[str, Any]],
    partners: Sequence[Mapping[str, Any]],
    data_quality: Sequence[Mapping[str, Any]],
    registrations: Sequence[Written],
) -> dict[str, Any]:
    best, worst = rank_memes(memes)
    report = {
        "schema": SCHEMA,
        "week": week,
        "notices": [_both(notice) for notice in notices],
        "registrations": _registrations(registrations),
        "growth": _growth(growth),
        "partners": [_partner_facts(row) for row in partners],
        "data_quality": [
            {**row, "name": _both(row["name"]), "value": _both(row["value"])}
            for row in data_quality
        ],
        "memes": {
            "best": [_meme_facts(meme) for meme in best],
            "worst": [_meme_facts(meme) for meme in worst],
        },
        "recompute": _command(analysis),
    }
    return {**analysis.facts, "report": _plain(report)}


def _both(text: Any) -> dict[str, str]:
    if isinstance(text, Mapping):
        return {language: str(text.get(language, "")) for language in words.LANGUAGES}
    return {language: str(text) for language in words.LANGUAGES}


def _plain(value: Any) -> Any:
    """JSON values only: paths and dates become text, a number that is none becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _whole_meme(meme: Mapping[str, Any]) -> dict[str, Any]:
    blank = {"arm": "", "channel": "", "views": None, "caption": "", "likes": None}
    return {**blank, **meme, "dislikes": meme.get("dislikes") or 0}


def _meme_facts(meme: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meme.items() if name != "image_path"}


def _partner_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """With the share published of the offers whose outcome is final, and Wilson's 95 % limits."""
    facts = {**dict.fromkeys(PARTNER_COLUMNS), **row}
    published = facts["accepted"] or 0
    others = ("rejected", "censored", "approved_unpublished")
    final = published + sum(facts[name] or 0 for name in others)
    return {
        **facts,
        "rate": published / final if final else None,
        "interval": list(wilson(published, final)) if final else None,
    }


def _registrations(written: Sequence[Written]) -> list[dict[str, Any]]:
    rows = []
    for before, item in zip([None, *written], written, strict=False):
        changed = changes(before.registration, item.registration) if before else {}
        rows.append(
            {
                **dataclasses.asdict(item.registration),
                "file": item.path.name,
                "sha256": item.sha256,
                "changed": {name: list(values) for name, values in changed.items()},
            }
        )
    return rows


def _growth(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By channel: members at first and last, joined, left, net of churn."""
    channels: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        channels[str(row["channel"])].append(row)
    found = []
    for name, own in sorted(channels.items()):
        own.sort(key=lambda row: str(row["date"]))
        sizes = [float(row["members"]) for row in own if row.get("members") is not None]
        joined = [float(row["joined"]) for row in own if row.get("joined") is not None]
        left = [float(row["left"]) for row in own if row.get("left") is not None]
        net = sum(joined) - sum(left) if joined and left else None
        if net is None and sizes:
            net = sizes[-1] - sizes[0]
        found.append(
            {
                "channel": name,
                "first": sizes[0] if sizes else None,
                "last": sizes[-1] if sizes else None,
                "joined": sum(joined) if joined else None,
                "left": sum(left) if left else None,
                "net": net,
            }
        )
    return found


def _ages(snapshots: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """arm and age → posts measured and mean positive + negative reactions a post."""
    cells: dict[tuple[str, float], list[float]] = defaultdict(list)
    for row in snapshots:
        if row.get("likes") is not None and row.get("arm") in ARMS:
            reactions = float(row["likes"]) + float(row.get("dislikes") or 0)
            cells[row["arm"], float(row["age_h"])].append(reactions)
    return [
        {"arm": arm, "age_h": age, "posts": len(values), "reactions": sum(values) / len(values)}
        for (arm, age), values in sorted(cells.items())
    ]


def _command(analysis: Analysis) -> str:
    facts = analysis.facts
    parts = ["python -m experiments analyse posts.csv"]
    if analysis.suggestions.table:
        parts.append("--suggestions suggestions.csv")
    parts += [
        f"--planned-weeks {facts['planned_looks']}",
        f"--margin {facts['margin']}",
        f"--alpha {facts['alpha']}",
        f"--seed {facts['seed']}",
        f"--vectors {facts['vectors']}",
    ]
    optional = {
        "--experiment": facts["experiment"],
        "--planned-pairs": facts["pairs"]["registered"],
        "--window-h": facts["window_h"],
        "--started": facts["started"],
        "--as-of": facts["as_of"],
    }
    parts += [f"{name} {shlex.quote(str(value))}" for name, value in optional.items() if value]
    return " ".join([*parts, "--state looks.json --json"])


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _write_posts(path: Path, analysis: Analysis) -> Path:
    """Every row as read, with the look at which its pair entered."""
    looks = {
        pair_id: record["look"]
        for record in analysis.looks_state["looks"]
        for pair_id in record["pairs"]
    }
    rows = [
        {**cells, "look": str(looks.get(cells["pair_id"].strip(), ""))}
        for _, cells in analysis.posts.table
    ]
    return _write_csv(path, POST_COLUMNS, rows)


def _write_suggestions(path: Path, analysis: Analysis) -> Path:
    return _write_csv(path, SUGGESTION_COLUMNS, [cells for _, cells in analysis.suggestions.table])


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Path:
    extra = [
        name for name in dict.fromkeys(key for row in rows for key in row) if name not in columns
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*columns, *extra], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _shares(analysis: Analysis) -> dict[str, dict[str, list[float]]]:
    shares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for post in analysis.posts.rows:
        if post.share is not None:
            shares[post.channel][post.arm].append(post.share)
    return shares


def _thumbnail(path: Any) -> str | None:
    """A small JPEG as a data URI; None where the picture is missing or unreadable."""
    if not path:
        return None
    try:
        with Image.open(path) as image:
            image.draft("RGB", (THUMBNAIL, THUMBNAIL))
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            data = io.BytesIO()
            small.save(data, "JPEG", quality=80)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def _texts(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Labels and method at the level of the analysis; whether anything was measured at all."""
    alpha = facts["alpha"]
    values = [facts["metrics"][name]["generated"]["value"] for name in facts["metrics"]]
    left_metrics = [
        {"metric": name, "arm": arm, **unit}
        for name, arms in facts["metrics"].items()
        for arm, row in arms.items()
        for unit in row["excluded"]
    ]
    return {
        "left_metrics": left_metrics,
        "label": words.labels(language, alpha),
        "method": [words.at_level(text, language, alpha) for text in METHOD[language]],
        "measured": facts["effect"] is not None or any(value is not None for value in values),
    }


def _render(kind: str, language: str, context: Mapping[str, Any]) -> str:
    return _template(kind, language).render(**context)


@lru_cache
def _template(kind: str, language: str) -> Template:
    environment = Environment(
        loader=PackageLoader("experiments"),
        autoescape=kind == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        language=language,
        arms=ARMS,
        reason=lambda code: words.reason(code, language),
        check_name=lambda code: words.check_name(code, language),
    )
    environment.filters.update(
        num=lambda value, digits=0: words.number(value, language, digits),
        points=lambda value, sign=False: words.points(value, language, sign=sign),
        span=lambda value: words.span(value, language),
        percent=lambda value, digits=1: words.percent(value, language, digits),
        pvalue=lambda value: words.p_value(value, language),
        dash=lambda value: words.DASH if value in (None, "") else value,
        cell=lambda value: str(value).replace("|", "\\|").replace("\n", " "),
        say=lambda item: words.statement(item, language),
        problem=lambda item: item["text"][language],
        field=lambda name, values: words.field_change(name, values, language),
        stop=lambda text: text if text.endswith(".") else f"{text}.",
    )
    return environment.get_template(f"report.{kind}.j2")
