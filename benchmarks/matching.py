"""Is it our meme? True and false match rates over what partners do to pictures.

    .venv/bin/python -m benchmarks.matching [--per-template 8] [--sample 1.0] [--seed 1]

Memes are drawn from the corpus, the same number for each template. Each is altered in each way
and compared with itself (a true match is right) and with the other memes on its template, one of
them the most alike in words (any match is wrong).
"""

from __future__ import annotations

import argparse
import io
import random
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher

from PIL import Image, ImageDraw, ImageOps

from publisher.memes.corpus import load_corpus
from publisher.memes.fonts import font
from publisher.memes.render import RenderError, render
from publisher.memes.templates import load_templates
from publisher.partners.matching import match

Change = Callable[[Image.Image, random.Random], Image.Image]


@dataclass(frozen=True)
class Drawn:
    template: str
    texts: tuple[str, ...]
    jpeg: bytes


def draw_memes(per_template: int, seed: int) -> list[Drawn]:
    """Memes of the corpus, both languages mixed."""
    templates = load_templates()
    rng = random.Random(seed)
    drawn = []
    for name, template in sorted(templates.items()):
        examples = [e for e in load_corpus() if e.template == name]
        rng.shuffle(examples)
        count = 0
        for example in examples:
            if count == per_template:
                break
            try:
                jpeg = render(template, example.texts, language=example.language).jpeg
            except RenderError:
                continue
            drawn.append(Drawn(name, example.texts, jpeg))
            count += 1
    return drawn


def untouched(picture: Image.Image, rng: random.Random) -> Image.Image:
    return picture


def recompressed(picture: Image.Image, rng: random.Random) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=rng.randint(30, 60))
    return Image.open(out).convert("RGB")


def resized(picture: Image.Image, rng: random.Random) -> Image.Image:
    factor = rng.choice([rng.uniform(0.4, 0.9), rng.uniform(1.1, 1.5)])
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, rng.choice([Image.Resampling.LANCZOS, Image.Resampling.BILINEAR]))


def watermarked(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Words or a badge in one corner, up to a third of the width."""
    picture = picture.convert("RGBA")
    layer = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(layer)
    width, height = picture.size
    size = round(min(picture.size) * rng.uniform(0.03, 0.06))
    text = rng.choice(
        ["@memnaya_predlozhka", "t.me/mems", "МЕМНАЯ", "@ofisnye_hroniki", "vk.com/x"]
    )
    face = font("bold", size)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=face)
    wide, high = right - left, bottom - top
    margin = round(min(picture.size) * 0.02)
    x = rng.choice([margin, width - wide - margin])
    y = rng.choice([margin, height - high - margin])
    alpha = rng.choice([120, 180, 255])
    style = rng.choice(["plain", "outlined", "badge"])
    if style == "badge":
        box = (x - size / 2, y - size / 3, x + wide + size / 2, y + high + size / 3)
        draw.rounded_rectangle(box, size / 3, fill=(*rng.choice([(0, 0, 0), (200, 30, 30)]), alpha))
    stroke = 2 if style == "outlined" else 0
    fill = (
        (255, 255, 255, alpha)
        if style != "plain"
        else (*rng.choice([(0, 0, 0), (255, 255, 255), (128, 128, 128)]), alpha)
    )
    draw.text(
        (x - left, y - top),
        text,
        font=face,
        fill=fill,
        stroke_width=stroke,
        stroke_fill=(0, 0, 0, alpha),
    )
    return Image.alpha_composite(picture, layer).convert("RGB")


def bordered(picture: Image.Image, rng: random.Random) -> Image.Image:
    """A frame of any colour; at times on two sides only."""
    colour = tuple(rng.choice([0, 255, rng.randint(0, 255)]) for _ in range(3))
    if rng.random() < 0.5:
        colour = rng.choice([(0, 0, 0), (255, 255, 255)])
    across = round(picture.width * rng.uniform(0.01, 0.08))
    down = round(picture.height * rng.uniform(0.01, 0.08))
    sides = rng.choice(
        [(across, down, across, down)] * 2 + [(0, down, 0, down), (across, 0, across, 0)]
    )
    return ImageOps.expand(picture, sides, colour)


def cropped(picture: Image.Image, rng: random.Random) -> Image.Image:
    left, top, right, bottom = (rng.uniform(0, 0.04) for _ in range(4))
    width, height = picture.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return picture.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))


def combined(*changes: Change) -> Change:
    def change(picture: Image.Image, rng: random.Random) -> Image.Image:
        for one in changes:
            picture = one(picture, rng)
        return picture

    return change


CHANGES: dict[str, Change] = {
    "untouched": untouched,
    "JPEG q 30-60": recompressed,
    "size × 0.4-1.5": resized,
    "watermark": watermarked,
    "border ≤ 8 %": bordered,
    "crop ≤ 4 % a side": cropped,
    "watermark + JPEG": combined(watermarked, recompressed),
    "crop + watermark + size + JPEG": combined(cropped, watermarked, resized, recompressed),
    "border + watermark + JPEG": combined(bordered, watermarked, recompressed),
    "crop + border + size + JPEG": combined(cropped, bordered, resized, recompressed),
}


def altered(jpeg: bytes, change: Change, rng: random.Random) -> bytes:
    out = io.BytesIO()
    change(Image.open(io.BytesIO(jpeg)).convert("RGB"), rng).save(out, "JPEG", quality=88)
    return out.getvalue()


def twins(memes: list[Drawn], rng: random.Random) -> list[tuple[Drawn, Drawn]]:
    """For each meme another on its template by chance, and the most alike in words."""
    groups: dict[str, list[Drawn]] = defaultdict(list)
    for meme in memes:
        groups[meme.template].append(meme)
    pairs = []
    for meme in memes:
        others = [m for m in groups[meme.template] if m.texts != meme.texts]
        alike = max(
            others, key=lambda m: SequenceMatcher(None, str(m.texts), str(meme.texts)).ratio()
        )
        pairs += [(meme, rng.choice(others)), (meme, alike)]
    return pairs


@dataclass(frozen=True)
class Trial:
    ours: bytes
    theirs: bytes
    change: str
    same: bool
    seed: float


def run_trial(trial: Trial) -> tuple[bool, float]:
    """The verdict, and the seconds it took."""
    picture = altered(trial.theirs, CHANGES[trial.change], random.Random(trial.seed))
    began = time.perf_counter()
    return match(trial.ours, picture).same, time.perf_counter() - began


def one_word_off(meme: Drawn, rng: random.Random) -> Drawn | None:
    """The same caption with one word of it exchanged; None where it cannot be drawn."""
    templates = load_templates()
    box = rng.randrange(len(meme.texts))
    words = meme.texts[box].split()
    place = rng.randrange(len(words))
    words[place] = rng.choice(["бабушка", "суббота", "повар", "сосед", "кактус", "гвозди"])
    texts = (*meme.texts[:box], " ".join(words), *meme.texts[box + 1 :])
    try:
        return Drawn(meme.template, texts, render(templates[meme.template], texts).jpeg)
    except RenderError:
        return None


def plan(memes: list[Drawn], sample: float, rng: random.Random) -> list[Trial]:
    pairs = twins(memes, rng)
    trials = []
    for name in CHANGES:
        kept = rng.sample(memes, max(1, round(len(memes) * sample)))
        trials += [Trial(m.jpeg, m.jpeg, name, True, rng.random()) for m in kept]
        other = rng.sample(pairs, max(1, round(len(memes) * sample)))
        trials += [Trial(a.jpeg, b.jpeg, name, False, rng.random()) for a, b in other]
    return trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-template", type=int, default=8)
    parser.add_argument("--sample", type=float, default=1.0, help="share of memes for each change")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    memes = draw_memes(given.per_template, given.seed)
    rng = random.Random(given.seed)
    trials = plan(memes, given.sample, rng)
    near = [(m, one_word_off(m, rng)) for m in rng.sample(memes, max(1, len(memes) // 4))]
    nearly = [Trial(m.jpeg, n.jpeg, "JPEG q 30-60", False, rng.random()) for m, n in near if n]
    print(f"{len(memes)} memes on {len({m.template for m in memes})} templates", flush=True)
    with ProcessPoolExecutor(given.workers) as pool:
        verdicts = list(pool.map(run_trial, trials, chunksize=4))
        close = list(pool.map(run_trial, nearly, chunksize=4))
    print(f"{'change':34s}{'true matches':>20s}{'false matches':>20s}")
    for name in (*CHANGES, "all"):
        cells = []
        for same in (True, False):
            chosen = [
                v[0]
                for t, v in zip(trials, verdicts, strict=True)
                if t.same == same and name in (t.change, "all")
            ]
            cells.append(f"{sum(chosen) / len(chosen):10.4f} {sum(chosen):4d}/{len(chosen):4d}")
        print(f"{name:34s}{cells[0]:>20s}{cells[1]:>20s}")
    wrong = sum(v[0] for v in close)
    print(f"one word of the caption exchanged: false matches {wrong}/{len(close)}")
    seconds = sorted(v[1] for v in verdicts)
    print(f"{seconds[len(seconds) // 2] * 1000:.0f} ms a comparison (median)")


if __name__ == "__main__":
    main()
