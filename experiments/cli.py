"""`python -m experiments`: analyse a file, simulate, plan.

Exit codes: 0; 1 when rows had to be set aside (the analysis of the others is printed all the same,
the faults go to standard error); 2 when nothing was done: no file, no table, a wrong option.
"""

import dataclasses
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from experiments import blocks, power, registration, words
from experiments.analysis import Analysis, analyse
from experiments.data import read_posts
from experiments.faults import Fault, fault, refuse
from experiments.figures import draw_simulation
from experiments.labels import SIMULATION
from experiments.model import Model
from experiments.report import to_json
from experiments.sequential import load_state, save_state
from experiments.simulate import Outcome, error, simulate
from experiments.tables import BadInput, Problem

RATES = (
    "one_look", "boundary", "always_valid", "peeking",
    "pooled", "pooled_peeking", "coverage", "coverage_always",
)  # fmt: skip
FILE = click.Path(exists=False, dir_okay=False, path_type=Path)


class Refused(click.ClickException):
    """Nothing was done, and why; unlike exit code 1, which prints an analysis."""

    exit_code = 2


def told_by(error: Exception, language: str) -> str:
    """A fault of ours in the language; what a system or a library says, as it is."""
    return error.said(language) if isinstance(error, Fault) else str(error)


class Moment(click.ParamType):
    name = "time"

    def convert(self, value: Any, param: Any, context: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write 2026-11-23T08:00:00+00:00", param, context)


def language_option(function: Any) -> Any:
    return click.option(
        "--language",
        type=click.Choice(words.LANGUAGES),
        default="en",
        show_default=True,
        help="Language of the words.",
    )(function)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Experiments on channels' posts: files in, numbers and verdicts out."""


@main.command("analyse")
@click.argument("posts", type=FILE)
@click.option("--suggestions", type=FILE, help="CSV of memes offered to partners.")
@click.option("--planned-weeks", type=int, help="Registered weekly looks.  [default: 8]")
@click.option("--planned-pairs", type=int, help="Registered number of pairs.")
@click.option("--margin", type=float, help='Margin of "not worse".  [default: 0.05]')
@click.option("--alpha", type=float, help="Level of all tests.  [default: 0.05]")
@click.option("--seed", type=int, help="Seed of the sign vectors.  [default: 1]")
@click.option("--vectors", type=int, help="Number B of sign vectors.  [default: 9999]")
@click.option("--window-h", type=float, help="Registered age in hours.  [default: the commonest]")
@click.option("--experiment", help="Its name, as in the coins.")
@click.option("--started", type=click.DateTime(["%Y-%m-%d"]), help="First day of the experiment.")
@click.option("--as-of", type=Moment(), help="Analyse as at this time (UTC).")
@click.option(
    "--registration", "registered", type=FILE, help="Pre-registration to take these from."
)
@click.option("--state", type=FILE, help="Saved looks: read if there, then written.")
@click.option("--secret", type=FILE, help="File with the secret: re-derives every coin.")
@click.option("--json", "as_json", is_flag=True, help="Print all facts as JSON.")
@language_option
def analyse_command(
    posts: Path,
    suggestions: Path | None,
    registered: Path | None,
    state: Path | None,
    secret: Path | None,
    started: datetime | None,
    as_json: bool,
    language: str,
    **given: Any,
) -> None:
    """Analyse POSTS (a CSV file) and say what is known, how surely, and what is left.

    Columns: post_id, channel, members, slot_utc, week, pair_id, arm, status, likes, dislikes,
    neutral, views, window_h; others are kept. See docs/report.md.
    """
    options = {"B" if name == "vectors" else name: v for name, v in given.items() if v is not None}
    try:
        if registered is not None:
            options = _from_registration(registration.read(registered).registration) | options
        if started is not None:
            options["started"] = started.date()
        if secret is not None:
            options["secret"] = secret.read_bytes().strip()
        found = analyse(posts, suggestions, state=load_state(state) if state else None, **options)
        if state:
            save_state(found.looks_state, state)
    except BadInput as bad:
        _complain(bad.source, bad.problems, language)
        sys.exit(2)
    except (ValueError, OSError) as bad:
        raise Refused(told_by(bad, language)) from bad
    faults = [item for item in found.facts["problems"]]
    for item in faults:
        name = posts if item["file"] == "posts" else suggestions
        click.echo(f"{name}: {words.problem_text(item, language)}", err=True)
    click.echo(to_json(found.facts) if as_json else summary(found, language), nl=not as_json)
    if any(item["severity"] == "error" for item in faults):
        sys.exit(1)


def summary(found: Analysis, language: str) -> str:
    """The verdict and the main numbers as text."""
    facts = found.facts
    label = words.labels(language, facts["alpha"])
    pairs = facts["pairs"]
    states = (
        ("pairs_complete", "complete"),
        ("incomplete", "incomplete"),
        ("pending", "pending"),
        ("invalid", "invalid"),
    )
    counted = ", ".join(f"{label[name].lower()} {pairs[state]}" for name, state in states)
    kind = label.get(facts["interval_method"] or "", words.DASH)
    lines = [
        *facts["verdict"]["text"][language],
        "",
        f"{label['pairs']}: {pairs['planned']} ({counted})",
        f"{label['effect']}: {words.points(facts['effect'], language, sign=True)};"
        f" {label['interval']} {words.span(facts['interval'], language)} ({kind});"
        f" p = {words.p_value(facts['p_value'], language)} ({label['single_look']})",
        f"{label['interval']}, {label['any_time']}:"
        f" {words.span(facts['always_valid']['interval'], language)}",
    ]
    for look in facts["looks"]:
        crossed = label["crossed_yes" if look["rejected"] else "crossed_no"]
        lines.append(
            f"{label['look']} {look['look']}: {label['pairs'].lower()} {look['pairs']},"
            f" {label['crossed'].lower()} {crossed}"
        )
    for name, arms in facts["metrics"].items():
        values = ", ".join(
            f"{label[arm]} {words.number(row['value'], language, 3)}" for arm, row in arms.items()
        )
        lines.append(f"{label[name]}: {values}")
    for check in facts["checks"]:
        if check["status"] in ("warn", "alarm"):
            status = label[f"status_{check['status']}"]
            lines.append(f"{status}: {words.check_name(check['code'], language)}")
    if facts["exclusions"]:
        lines.append(f"{label['exclusions']}: {len(facts['exclusions'])}")
        lines += [
            f"  {label['row'].lower()} {item['row']}, {item['post_id']}:"
            f" {words.reason(item['reason'], language)}"
            for item in facts["exclusions"]
        ]
    return "\n".join(lines)


@main.command("blocks")
@click.argument("posts", type=FILE)
@click.option("--seed", default=1, show_default=True)
@click.option("--vectors", default=9999, show_default=True)
@click.option("--alpha", default=0.05, show_default=True)
@language_option
def blocks_command(posts: Path, seed: int, vectors: int, alpha: float, language: str) -> None:
    """Analyse POSTS whose pair_id names blocks of any size: the studentised test, as JSON."""
    try:
        read = read_posts(posts, any_block=True)
        found = blocks.compare_posts(read.rows, seed=seed, vectors=vectors, alpha=alpha)
    except BadInput as bad:
        _complain(bad.source, bad.problems, language)
        sys.exit(2)
    except ValueError as bad:
        raise Refused(told_by(bad, language)) from bad
    _complain(str(posts), read.problems, language)
    click.echo(json.dumps(dataclasses.asdict(found), ensure_ascii=False, indent=2))
    if any(problem.severity == "error" for problem in read.problems):
        sys.exit(1)


@main.command("simulate")
@click.option("--rho", default=0.1, show_default=True, help="Likeness of reactions under one post.")
@click.option("--channels", default=3, show_default=True, help="Channels, alike but for chance.")
@click.option("--weeks", default=8, show_default=True, help="Weekly looks.")
@click.option("--pairs-per-week", default=7, show_default=True, help="For each channel.")
@click.option("--effect", default=0.05, show_default=True, help="Difference of shares.")
@click.option("--runs", default=2000, show_default=True, help="Simulated experiments.")
@click.option("--vectors", default=1999, show_default=True, help="Number B of sign vectors.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the figure.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON.")
@language_option
def simulate_command(
    rho: float,
    channels: int,
    weeks: int,
    pairs_per_week: int,
    effect: float,
    runs: int,
    vectors: int,
    seed: int,
    out: Path | None,
    as_json: bool,
    language: str,
) -> None:
    """False alarms and power of every method on the documented model (experiments/model.py)."""
    try:
        refuse(
            (
                (runs < 1, "least", {"name": "--runs", "least": 1, "value": runs}),
                (vectors < 99, "least", {"name": "--vectors", "least": 99, "value": vectors}),
            )
        )
        model = Model(
            channels=channels, weeks=weeks, pairs_per_week=pairs_per_week, effect=effect, rho=rho
        )
    except ValueError as bad:
        raise Refused(told_by(bad, language)) from bad
    cells = {"null": model.with_effect(0.0)} | ({"effect": model} if effect else {})
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            untold = fault("no_folder", path=out, why=wrong.strerror)
            raise Refused(untold.said(language)) from wrong
    found: dict[str, Outcome] = {}
    label = SIMULATION["simulating"][language]
    with click.progressbar(length=runs * len(cells), label=label, file=sys.stderr) as bar:
        for name, cell in cells.items():
            critical = found["null"].pooled_critical if found else None
            found[name] = simulate(
                cell,
                runs=runs,
                seed=seed + len(found),
                vectors=vectors,
                pooled_critical=critical,
                progress=bar.update,
            )
    if out is not None:
        path = out / "simulation.png"
        draw_simulation(found, language).savefig(path, dpi=150)
        click.echo(f"{SIMULATION['figure'][language]}: {path}", err=True)
    if as_json:
        facts = {name: dataclasses.asdict(outcome) for name, outcome in found.items()}
        click.echo(json.dumps(facts, indent=2, allow_nan=False))
    else:
        click.echo(_table(found, runs, language))


def _table(found: dict[str, Outcome], runs: int, language: str) -> str:
    said = {key: texts[language] for key, texts in SIMULATION.items()}
    heads = [f"{said['effect']} {outcome.model.effect:g}" for outcome in found.values()]
    lines = [f"{'':32}" + "".join(f"{head:>16}" for head in heads)]
    for key in RATES:
        values = "".join(f"{getattr(outcome, key):>16.4f}" for outcome in found.values())
        lines.append(f"{said[key]:32}{values}")
    stops = "".join(f"{outcome.stop:>16.1f}" for outcome in found.values())
    lines.append(f"{said['stop']:32}{stops}")
    pairs = next(iter(found.values())).model.pairs
    lines.append(said["size"].format(pairs=pairs, runs=runs, error=f"{error(0.05, runs):.4f}"))
    return "\n".join(lines)


@main.command("power")
@click.option("--effect", default=0.05, show_default=True, help="Difference of shares to find.")
@click.option("--sigma", default=power.SIGMA_ASSUMED, show_default=True, help="Spread of a pair.")
@click.option("--power", "wanted", default=0.8, show_default=True, help="Chance to find it.")
@click.option("--alpha", default=0.05, show_default=True, help="Level of the test, two-sided.")
@click.option("--pairs-per-week", type=float, help="Over all channels.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON.")
@language_option
def power_command(
    effect: float,
    sigma: float,
    wanted: float,
    alpha: float,
    pairs_per_week: float | None,
    as_json: bool,
    language: str,
) -> None:
    """Pairs, and with a rate weeks, that an effect needs."""
    try:
        found = power.plan(
            effect, sigma=sigma, power=wanted, alpha=alpha, pairs_per_week=pairs_per_week
        )
    except ValueError as bad:
        raise Refused(told_by(bad, language)) from bad
    curve = [
        {"pairs": n, "power": power.power_of(n, effect, sigma, alpha)}
        for n in sorted({max(1, round(found.pairs * share / 4)) for share in range(1, 9)})
    ]
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found) | {"curve": curve}, indent=2))
        return
    said = {key: texts[language] for key, texts in SIMULATION.items()}
    click.echo(f"{said['pairs']}: {found.pairs}")
    if found.weeks is not None:
        click.echo(f"{said['weeks']}: {found.weeks}")
    for row in curve:
        click.echo(f"{row['pairs']:>8} {said['pairs']}: {said['power']} {row['power']:.2f}")


def _from_registration(facts: registration.Registration) -> dict[str, Any]:
    return {
        "experiment": facts.experiment,
        "planned_weeks": facts.looks,
        "planned_pairs": facts.planned_pairs or None,
        "margin": facts.margin,
        "alpha": facts.alpha,
        "seed": facts.seed,
        "B": facts.vectors,
        "window_h": float(facts.age_hours),
        "started": date.fromisoformat(facts.started[:10]),
    }


def _complain(source: str, problems: list[Problem], language: str) -> None:
    for problem in problems:
        text = words.problem_text(words.problem_facts(problem), language)
        click.echo(f"{source}: {text}", err=True)
