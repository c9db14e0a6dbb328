"""`python -m experiments.calibration`: measure every method and write docs/calibration.md.

Seeded; two processes; the numbers in the document are those of the run and nothing else.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from experiments import metrics
from experiments.blocks import block_test
from experiments.boxes import stratified_test
from experiments.data import Post, Suggestion
from experiments.figures import PALETTE, draw_simulation
from experiments.model import Model, draw
from experiments.simulate import Outcome, error, simulate

SETTINGS: dict[str, Model] = {
    "base: 3 channels, ρ 0.1": Model(),
    "ρ 0.02": Model(rho=0.02),
    "ρ 0.3": Model(rho=0.3),
    "1 channel": Model(channels=1),
    "8 channels": Model(channels=8),
    "heavy tails (τ 1.5)": Model(tail=1.5),
    "few reactions (mean 4)": Model(reactions=3.0),
    "many reactions (mean 400)": Model(reactions=400.0),
    "strong hours (sd 0.15)": Model(hour_sd=0.15),
    "high shares (0.90)": Model(base=0.9, channel_sd=0.03, hour_sd=0.02),
    "low shares (0.25)": Model(base=0.25),
    "16 pairs in all": Model(channels=1, pairs_per_week=2),
    "4 looks": Model(weeks=4),
    "26 looks": Model(weeks=26, channels=1),
    "arms spread unequally (ρ 0.3 / 0.05)": Model(rho=0.05, rho_generated=0.3),
    "reactions unequal (3 : 1)": Model(reactions_ratio=3.0),
    "channel effects ±5 points, mean 0": Model(channel_effect=0.05),
    "one look only": Model(weeks=1, pairs_per_week=56),
}


@dataclass(frozen=True)
class Cell:
    name: str
    null: Outcome
    effect: Outcome


def measure(name: str, model: Model, runs: int, vectors: int, seed: int) -> Cell:
    """Null runs, then as many with the effect that a fixed look would find 80 % of the time."""
    with threadpool_limits(1):
        null = simulate(model, runs=runs, vectors=vectors, seed=seed)
        effect = round(min(2.8 * null.sd / model.pairs**0.5, 0.2), 3)
        found = simulate(
            model.with_effect(effect),
            runs=runs,
            vectors=vectors,
            seed=seed + 1000,
            pooled_critical=null.pooled_critical,
        )
    return Cell(name, null, found)


def says_not_worse(name: str, runs: int, vectors: int, seed: int) -> tuple[float, float]:
    """How often "not worse by 5 points" is said at some look: truly 5 points worse, and alike."""
    with threadpool_limits(1):
        worse, alike = (
            simulate(SETTINGS[name].with_effect(effect), runs=runs, vectors=vectors, seed=seed)
            for effect in (-0.05, 0.0)
        )
    return worse.not_worse, alike.not_worse


def pilot_passes(truth: float, runs: int, seed: int) -> tuple[float, float]:
    """(point, bound): share of pilots passed when all four metrics are truly `truth`."""
    rng = np.random.default_rng(seed)
    model = Model(weeks=2, base=truth, channel_sd=0.0, hour_sd=0.0)
    point = bound = 0
    for _ in range(runs):
        drawn = draw(model, 1, rng)
        likes, total = drawn.likes["generated"][:, 0], drawn.reactions["generated"][:, 0]
        posts = [
            Post(row, str(row), str(c), 1000.0 * (c + 1), None, "1", "", "generated", "published",
                 float(like), float(all_ - like), 0.0, None, 48.0)
            for row, (c, like, all_) in enumerate(zip(drawn.channel, likes, total, strict=True))
        ]  # fmt: skip
        offered = [
            Suggestion(row, str(row), str(row % 3), 500.0 * (row % 3 + 1), "generated", bool(yes))
            for row, yes in enumerate(rng.random(45) < truth)
        ]
        verdict = metrics.pilot(metrics.four_metrics(posts, offered), ab_passed=False)
        point += verdict["document"]["passed"]
        bound += verdict["supported"]["passed"]
    return point / runs, bound / runs


def boxes_reject(partners: int, each: int, runs: int, seed: int) -> float:
    """Type I error of the stratified test of boxes with very unlike partners."""
    rng = np.random.default_rng(seed)
    rates = np.linspace(0.15, 0.85, partners)
    rejected = 0
    for _ in range(runs):
        counts = rng.binomial(each, np.repeat(rates, 2)).reshape(partners, 2)
        tables = [(int(a), each - int(a), int(b), each - int(b)) for a, b in counts]
        p_value = stratified_test(tables)["p_value"]
        rejected += p_value is not None and p_value <= 0.05
    return rejected / runs


def blocks_reject(runs: int, seed: int) -> tuple[float, float]:
    """(studentised, plain): type I error in 3 : 1 blocks, equal means, unequal spreads."""
    rng = np.random.default_rng(seed)
    arms = np.tile(["generated", "human", "human", "human"], 40)
    names = np.repeat([f"b{i:02d}" for i in range(40)], 4)
    generated = arms == "generated"
    spread = np.where(generated, 0.28, 0.08)
    studentised = plain = 0
    for run in range(runs):
        y = 0.6 + spread * rng.standard_normal(160)
        found = block_test(y.tolist(), arms.tolist(), names.tolist(), seed=run, vectors=399)
        studentised += found.p_value <= 0.05
        keys = rng.random((400, 40, 4))
        keys[0] = np.where(generated.reshape(40, 4), 0.0, 1.0)
        first = np.argmin(keys, axis=2)
        grid = y.reshape(40, 4)
        chosen = np.take_along_axis(grid[None], first[..., None], axis=2)[..., 0]
        means = np.abs((chosen - (grid.sum(axis=1) - chosen) / 3).mean(axis=1))
        plain += (means >= means[0] - 1e-12).mean() <= 0.05
    return studentised / runs, plain / runs


@click.command()
@click.option("--runs", default=20000, show_default=True, help="Simulated experiments a cell.")
@click.option("--vectors", default=1999, show_default=True, help="Sign vectors (B).")
@click.option("--seed", default=20260907, show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Processes.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs"), show_default=True)
def main(runs: int, vectors: int, seed: int, jobs: int, out: Path) -> None:
    """Calibrate all methods on the documented model and write OUT/calibration.md."""
    started = time.monotonic()
    with ProcessPoolExecutor(jobs) as pool:
        cells_due = [
            pool.submit(measure, name, model, runs, vectors, seed + index)
            for index, (name, model) in enumerate(SETTINGS.items())
        ]
        small = max(200, runs // 5)
        pilot_due = {t: pool.submit(pilot_passes, t, small, seed) for t in (0.65, 0.7, 0.8)}
        boxes_due = {
            shape: pool.submit(boxes_reject, *shape, small, seed) for shape in ((3, 6), (4, 40))
        }
        margin_due = {
            name: pool.submit(says_not_worse, name, runs, vectors, seed + 500)
            for name in list(SETTINGS)[:5]
        }
        blocks_due = pool.submit(blocks_reject, small, seed)
        cells = []
        with click.progressbar(cells_due, label="calibration", show_pos=True) as waiting:
            for due in waiting:
                cells.append(due.result())
        extras = Extras(
            {t: due.result() for t, due in pilot_due.items()},
            {shape: due.result() for shape, due in boxes_due.items()},
            {name: due.result() for name, due in margin_due.items()},
            blocks_due.result(),
            small,
        )
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    draw_levels(cells).savefig(folder / "calibration-levels.png", dpi=150)
    draw_power(cells).savefig(folder / "calibration-power.png", dpi=150)
    draw_simulation({"none": cells[0].null, "effect": cells[0].effect}).savefig(
        folder / "calibration-stopping.png", dpi=150
    )
    text = document(cells, extras, runs, vectors, seed)
    (out / "calibration.md").write_text(text, encoding="utf-8")
    click.echo(f"{out / 'calibration.md'}: {time.monotonic() - started:.0f} s")


@dataclass(frozen=True)
class Extras:
    pilot: dict[float, tuple[float, float]]
    boxes: dict[tuple[int, int], float]
    margin: dict[str, tuple[float, float]]
    blocks: tuple[float, float]
    runs: int


def document(cells: Sequence[Cell], extras: Extras, runs: int, vectors: int, seed: int) -> str:
    one = [cell.null.one_look for cell in cells]
    eight = [cell.null.boundary for cell in cells]
    cover = [outcome.coverage for cell in cells for outcome in (cell.null, cell.effect)]
    loss = [cell.effect.one_look - cell.effect.boundary for cell in cells]
    pooled = [cell.null.pooled for cell in cells]
    peeking = [cell.null.peeking for cell in cells if cell.null.model.weeks == 8]
    within = sum(0.04 <= value <= 0.06 for value in one)
    held = sum(value <= 0.055 for value in eight)
    covered = sum(0.94 <= value <= 0.96 for value in cover)
    close = sum(value <= 0.03 for value in loss)
    lines = [
        "# Calibration",
        "",
        "Made by `make calibration` (`python -m experiments.calibration"
        f" --runs {runs} --vectors {vectors} --seed {seed}`); every number below is counted in that"
        f" run. {len(cells)} settings, {runs:,} simulated experiments a cell under no effect and as"
        " many under an effect, of the model in `experiments/model.py` (beta-binomial posts in"
        " channels with hours, heavy tails). B ="
        f" {vectors:,} sign vectors here for speed (the analysis itself uses 9,999). A share near"
        f" 0.05 carries a Monte-Carlo error of ±{error(0.05, runs):.4f} (95 %).",
        "",
        "| goal | reached |",
        "|---|---|",
        f"| type I error 0.04–0.06 at one look | {within} of {len(one)} cells"
        f" ({min(one):.4f}–{max(one):.4f}) |",
        f"| type I error ≤ 0.055 over all registered looks | {held} of {len(eight)} cells"
        f" ({min(eight):.4f}–{max(eight):.4f}) |",
        f"| coverage 0.94–0.96 of the inverted interval, with and without effect |"
        f" {covered} of {len(cover)} cells ({min(cover):.4f}–{max(cover):.4f}) |",
        f"| power of the looks within 0.03 of one look at the end | {close} of {len(loss)} cells"
        f" (loss {min(loss):.4f}–{max(loss):.4f}) |",
        "",
        "Under these nulls the coin alone decides the sign of a difference (but for the settings"
        " with unequal arms and channel effects), so the expected level is 0.05 or below by"
        " construction; what differs from cell to cell is Monte-Carlo error.",
        "",
        f"In the same runs the pooled chi-square rejects a true null {min(pooled):.0%} to"
        f" {max(pooled):.0%} of the time at one look; eight weekly looks with the plain sign-flip"
        f" test {min(peeking):.0%} to {max(peeking):.0%}.",
        "",
        "## No effect: how often each method raises a false alarm",
        "",
        "“looks”: the registered permutation O'Brien–Fleming boundary. “any time”: the e-process"
        " looked at after every pair. “looks or any time”: either of the two. “plain weekly”: the"
        " sign-flip test at 0.05 every week. “pooled”: chi-square over all reactions.",
        "",
        "| setting | pairs | one look | looks | any time | looks or any time | plain weekly |"
        " pooled, one look | pooled weekly |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {cell.name} | {cell.null.model.pairs} | {cell.null.one_look:.4f} |"
            f" {cell.null.boundary:.4f} | {cell.null.always_valid:.4f} | {cell.null.either:.4f} |"
            f" {cell.null.peeking:.3f} | {cell.null.pooled:.3f} | {cell.null.pooled_peeking:.3f} |"
            for cell in cells
        ),
        "",
        "![False alarms by method and setting](figures/calibration-levels.png)",
        "",
        "## Coverage",
        "",
        "Of the true mean difference: the 95 % interval by inversion at the planned end, and the"
        " always-valid interval at every pair at once.",
        "",
        "| setting | inverted, no effect | inverted, effect | any time, no effect |"
        " any time, effect |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {cell.name} | {cell.null.coverage:.4f} | {cell.effect.coverage:.4f} |"
            f" {cell.null.coverage_always:.4f} | {cell.effect.coverage_always:.4f} |"
            for cell in cells
        ),
        "",
        "## Power",
        "",
        "The effect is the one that one look at the end finds about 80 % of the time. “best”: the"
        " fixed-horizon sign-flip test. “pooled, adjusted”: the naive chi-square with the threshold"
        " that would give it a level of 5 % in this very setting, which nobody knows in practice.",
        "",
        "| setting | effect | σ_d | best (one look) | looks | loss | mean look of decision |"
        " any time | pooled, adjusted |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {cell.name} | {cell.effect.model.effect:.3f} | {cell.effect.sd:.2f} |"
            f" {cell.effect.one_look:.3f} | {cell.effect.boundary:.3f} |"
            f" {cell.effect.one_look - cell.effect.boundary:+.3f} |"
            f" {cell.effect.stop:.1f} of {cell.effect.model.weeks} |"
            f" {cell.effect.always_valid:.3f} | {cell.effect.pooled_adjusted or 0.0:.3f} |"
            for cell in cells
        ),
        "",
        "![Power by method and setting](figures/calibration-power.png)",
        "",
        "![Decisions by week in the base setting](figures/calibration-stopping.png)",
        "",
        "## “Not worse”",
        "",
        "How often the verdict says, at some look, that generated memes are not worse by 5 points:"
        " when they are worse by exactly 5 points (a false alarm), and when the arms are alike.",
        "",
        "| setting | worse by 5 points | alike |",
        "|---|---:|---:|",
        *(f"| {name} | {w:.4f} | {a:.3f} |" for name, (w, a) in extras.margin.items()),
        "",
        "## Around the main test",
        "",
        f"{extras.runs:,} runs each (±{error(0.05, extras.runs):.3f} near 0.05).",
        "",
        "Pilot (3 channels with 14 posts each, 3 partners with 15 offers each, all four metrics"
        " truly alike): how often each line of the pilot verdict passes.",
        "",
        "| truth | document criterion (point ≥ 0.7) | supported (bound ≥ 0.7) |",
        "|---:|---:|---:|",
        *(f"| {t:.2f} | {p:.3f} | {b:.3f} |" for t, (p, b) in extras.pilot.items()),
        "",
        "Suggestion boxes, no difference between the arms, partners' rates from 0.15 to 0.85:",
        "",
        "| partners | offers an arm | rejects |",
        "|---:|---:|---:|",
        *(f"| {n} | {each} | {share:.3f} |" for (n, each), share in extras.boxes.items()),
        "",
        "Blocks of one generated and three human posts, equal means, spreads 0.28 and 0.08:"
        f" the studentised test rejects {extras.blocks[0]:.3f}, the plain permutation of the"
        f" difference {extras.blocks[1]:.3f}.",
        "",
    ]
    return "\n".join(lines)


def draw_levels(cells: Sequence[Cell]) -> Figure:
    figure = Figure(figsize=(8, 0.34 * len(cells) + 1.2), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(cells))
    axes.axvspan(0.04, 0.06, color=PALETTE["mark"], alpha=0.15)
    for label, values, colour, marker in (
        ("one look", [cell.null.one_look for cell in cells], PALETTE["generated"], "o"),
        ("registered looks", [cell.null.boundary for cell in cells], PALETTE["mark"], "s"),
        ("plain weekly", [cell.null.peeking for cell in cells], PALETTE["human"], "^"),
        ("pooled chi-square", [cell.null.pooled for cell in cells], PALETTE["ink"], "x"),
    ):
        axes.plot(values, place, marker, color=colour, label=label, linestyle="none")
    axes.set_xscale("log")
    axes.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1], ["2 %", "5 %", "10 %", "20 %", "50 %", "100 %"])
    axes.minorticks_off()
    axes.set_yticks(place, [cell.name for cell in cells])
    axes.invert_yaxis()
    axes.set_xlabel("rejections of a true null")
    axes.grid(axis="x", color=PALETTE["grid"])
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


def draw_power(cells: Sequence[Cell]) -> Figure:
    figure = Figure(figsize=(8, 0.34 * len(cells) + 1.2), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(cells))
    for label, values, colour, marker in (
        ("one look at the end", [c.effect.one_look for c in cells], PALETTE["generated"], "o"),
        ("registered looks", [c.effect.boundary for c in cells], PALETTE["mark"], "s"),
        ("any time", [c.effect.always_valid for c in cells], PALETTE["muted"], "d"),
        ("pooled, adjusted", [c.effect.pooled_adjusted or 0.0 for c in cells], PALETTE["ink"], "x"),
    ):
        axes.plot(values, place, marker, color=colour, label=label, linestyle="none")
    axes.set_xlim(0, 1)
    axes.set_yticks(place, [cell.name for cell in cells])
    axes.invert_yaxis()
    axes.set_xlabel("power")
    axes.grid(axis="x", color=PALETTE["grid"])
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


if __name__ == "__main__":
    main()
