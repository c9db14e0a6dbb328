"""What a model can do on this machine, and so which way to captions suits it."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import re
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from publisher.llm.files import embedded_model_path
from publisher.llm.model import Completion, Model, open_model
from publisher.sentences import words

log = logging.getLogger(__name__)

VERSION = 2
FREE_WELL_FORMED, FREE_OBEDIENCE, FREE_SENSE = 0.6, 0.6, 0.9
FEWEST_DRAFTS = 16
"""Of the 32; with fewer written in the time there is, nothing is said of their quality."""
_DRAFTS = 8
_LONGEST = 70
_SAMPLE = 1 << 16

_ASK = {
    "ru": "Напиши на тему «{topic}» смешную подпись из двух частей через « | ».",
    "en": "On the topic “{topic}” write a funny caption of two parts separated by “ | ”.",
}
_SHOWN = {
    "ru": (
        ("работа", "писать отчёт | двигать окно туда-сюда"),
        ("деньги", "план: копить | факт: купил ещё один чайник"),
        ("сон", "лечь в десять | в три ночи читать про осьминогов"),
    ),
    "en": (
        ("work", "writing the report | renaming the file four times"),
        ("money", "plan: save | fact: bought another kettle"),
        ("sleep", "in bed at ten | at three reading about octopuses"),
    ),
}
_TOPICS = {"ru": ("ипотека", "кот"), "en": ("mortgage", "cats")}
# The first ending makes sense, the second is its neighbour's.
_SENSE = (
    ("Зимой на улице обычно", " холодно и лежит снег.", " жарко и цветут вишни."),
    ("Кот увидел собаку и", " убежал на дерево.", " заплатил за ипотеку."),
    ("Чтобы купить квартиру, люди берут", " ипотеку на двадцать лет.", " зонт от дождя."),
    ("Он забыл зонт, поэтому", " промок под дождём.", " сварил вкусный суп."),
    ("Будильник зазвонил в шесть утра, и она", " нехотя встала.", " вкусно поджарилась."),
    ("На совещании все устали, потому что оно", " длилось три часа.", " было из картошки."),
    ("Зарплата пришла утром, а к вечеру", " денег уже не осталось.", " она стала синей птицей."),
    ("Телефон разрядился, и позвонить", " он уже не мог.", " стало вкуснее."),
    ("The phone died because the", " battery was empty.", " soup was salty."),
    ("She took an umbrella because it was", " raining outside.", " a good loan."),
    ("The cat knocked the glass off the", " table and walked away.", " mortgage and walked away."),
    ("He was late for work because he", " missed the bus.", " painted the moon."),
    ("To pass the exam you have to", " study a lot.", " boil the keyboard."),
    ("After the long meeting everyone was", " tired and hungry.", " made of glass."),
    ("I opened the fridge to find something to", " eat.", " drive."),
    ("The internet went down, so nobody could", " send emails.", " breathe under the table."),
)


@dataclass(frozen=True)
class ProbeResult:
    """Shares are 0 … 1; `tokens_per_s` is of drafts side by side, prompts included.

    `well_formed`: drafts that are words of their language, come to an end, do not loop or copy.
    `obedience`: drafts in the shape asked for: two parts, not too long, in the right alphabet.
    `sense`: of two endings of a sentence, how often the sensible one is the likelier.
    `peak_rss_mb` is the whole process's highest, so a fresh process tells it best. Shares are of
    what was written before the budget ended; `in_time` says whether that was enough to judge by.
    """

    name: str
    kind: Literal["base", "instruct"]
    parameters: int
    well_formed: float
    obedience: float
    sense: float
    tokens_per_s: float
    peak_rss_mb: float
    mode: Literal["free", "frames"]
    reason: str
    details: dict[str, Any]
    in_time: bool = True


Mode = Literal["free", "frames"]
_answers: dict[str, ProbeResult] = {}  # of this process


def way_to_captions(
    model: Model,
    cache: Path | None = None,
    *,
    budget_s: float = 60,
    tell: Callable[[], None] = lambda: None,
) -> tuple[Mode, str]:
    """Which way to captions suits an open model, and why.

    A small model is told by its header. Any other is probed once: the answer is remembered by
    this process, and in `cache` (see `probe`) for the next. `tell` is called before a probe.
    """
    if reason := _too_small(model.kind, model.parameters):
        return "frames", reason
    key = _file_name(model.path)
    found = _answers.get(key) or (_read(cache / key) if cache is not None else None)
    if found is None:
        tell()
        found = _probe(model, budget_s)
        if cache is not None and found.in_time:
            _keep(cache / key, found)
    _answers[key] = found
    return found.mode, found.reason


def probe(
    path: Path | None = None,
    cache: Path | None = None,
    *,
    budget_s: float = 120,
    anew: bool = False,
) -> ProbeResult:
    """Try a model (None: the embedded one) and say whether it may write captions freely.

    With `cache` (a folder) the answer is kept as JSON for that file's path, size, time and a hash
    of its ends, and read back from there unless `anew`. A probe that `budget_s` seconds cut short
    is not kept: a crowded machine says nothing of the model. Raises ModelError (see `open_model`).
    """
    path = Path(path) if path is not None else embedded_model_path()
    kept = cache / _file_name(path) if cache is not None and path.exists() else None
    if kept is not None and not anew and (found := _read(kept)) is not None:
        return found
    result = _probe(open_model(path), budget_s)
    if kept is not None and result.in_time:
        _keep(kept, result)
    return result


def _keep(path: Path, result: ProbeResult) -> None:
    """Write the answer down, whole or not at all; a folder that cannot be written is no harm."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8"
        ) as part:
            json.dump(asdict(result), part, ensure_ascii=False, indent=1)
        os.replace(part.name, path)
    except OSError as error:
        log.warning("cannot keep what a model can in %s: %s", path, error)


def _probe(model: Model, budget_s: float) -> ProbeResult:
    began = time.monotonic()
    right, weighed = _sense(model, began + budget_s / 2)
    drafts: dict[str, list[Completion]] = {}
    tokens, seconds = 0, 0.0
    for language, topic in _interleaved():
        asked = time.monotonic()
        written = model.complete(
            _prompt(model, language, topic),
            n=_DRAFTS,
            seeds=range(_DRAFTS),
            max_tokens=48,
            stop=["\n"],
            budget_s=max(began + budget_s - asked, 0.0),
        )
        seconds += time.monotonic() - asked
        tokens += sum(done.tokens for done in written)
        drafts[f"{language}: {topic}"] = [done for done in written if done.finish != "budget"]
    judged = [
        (_well_formed(done, key[:2]), _obedient(done, key[:2]))
        for key, written in drafts.items()
        for done in written
    ]
    well, obey = (
        (sum(column) / len(judged) for column in zip(*judged, strict=True))
        if judged
        else (
            0.0,
            0.0,
        )
    )
    sense = right / max(weighed, 1)
    speed = tokens / max(seconds, 1e-9)
    in_time = weighed == len(_SENSE) and len(judged) >= FEWEST_DRAFTS
    mode, reason = _verdict(model, well, obey, sense)
    if not in_time and not _too_small(model.kind, model.parameters):
        mode, reason = (
            "frames",
            (
                words(
                    "too slow now: {done} of {all} drafts in {seconds:.0f} s ({speed:.1f} tokens/s)"
                    "; to be tried again when the machine is less busy",
                    done=len(judged),
                    all=len(drafts) * _DRAFTS,
                    seconds=budget_s,
                    speed=speed,
                )
            ),
        )
    return ProbeResult(
        name=model.name,
        kind=model.kind,
        parameters=model.parameters,
        well_formed=round(well, 3),
        obedience=round(obey, 3),
        sense=round(sense, 3),
        tokens_per_s=round(speed, 1),
        peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0),
        mode=mode,
        reason=reason,
        details={key: [done.text.strip() for done in written] for key, written in drafts.items()},
        in_time=in_time,
    )


def _interleaved() -> list[tuple[str, str]]:
    """(language, topic), the languages in turn, so that a cut leaves some of both."""
    rows = zip(*([(language, topic) for topic in topics] for language, topics in _TOPICS.items()),
               strict=True)  # fmt: skip
    return [pair for row in rows for pair in row]


def _too_small(kind: str, parameters: int) -> str:
    """Why a model of this size writes no captions whatever it drafts, or ""."""
    if kind == "base" and parameters < 3e9:
        return words("a base model below 3 billion parameters writes no jokes of its own")
    if kind == "instruct" and parameters < 1e9:
        return words("an instruct model below 1 billion parameters writes no jokes of its own")
    return ""


def _verdict(model: Model, well: float, obey: float, sense: float) -> tuple[Mode, str]:
    """Which way to captions, and the first thing that decided against free writing."""
    if reason := _too_small(model.kind, model.parameters):
        return "frames", reason
    for name, value, least in (
        (words("well-formed drafts"), well, FREE_WELL_FORMED),
        (words("drafts in the shape asked for"), obey, FREE_OBEDIENCE),
        (words("sensible endings preferred"), sense, FREE_SENSE),
    ):
        if value < least:
            return "frames", words(
                "{name}: {value:.0%}, {least:.0%} are needed", name=name, value=value, least=least
            )
    return "free", words(
        "well-formed {well:.0%}, in shape {shape:.0%}, sense {sense:.0%}",
        well=well,
        shape=obey,
        sense=sense,
    )


def _prompt(model: Model, language: str, topic: str) -> str:
    ask = _ASK[language]
    if model.kind == "base":
        lines = [f"{ask.format(topic=t)}\n{answer}\n" for t, answer in _SHOWN[language]]
        return "\n".join([*lines, ask.format(topic=topic) + "\n"])
    messages = []
    for shown, answer in _SHOWN[language]:
        messages += [
            {"role": "user", "content": ask.format(topic=shown)},
            {"role": "assistant", "content": answer},
        ]
    return model.chat([*messages, {"role": "user", "content": ask.format(topic=topic)}])


def _sense(model: Model, end: float) -> tuple[int, int]:
    """How many pairs of endings the model orders rightly, by mean log likelihood a token, and how
    many it weighed before `end` (monotonic seconds)."""
    right = weighed = 0
    for start, good, bad in _SENSE:
        if time.monotonic() >= end:
            break
        (a, n), (b, m) = model.loglikelihood(start, [good, bad])
        right += a / n > b / m
        weighed += 1
    return right, weighed


def _well_formed(done: Completion, language: str) -> bool:
    text = done.text.strip()
    words = re.findall(r"[^\W\d_]+", text.casefold())
    copied = any(text.casefold() == answer for _, answer in _SHOWN[language])
    if done.finish != "stop" or len(words) < 3 or copied or len(set(words)) < 0.6 * len(words):
        return False
    return language != "ru" or _known(words) >= 0.9


def _obedient(done: Completion, language: str) -> bool:
    parts = [part.strip() for part in done.text.strip().split("|")]
    letters = re.findall(r"[^\W\d_]", done.text)
    wanted = [c for c in letters if ("а" <= c.casefold() <= "ё") == (language == "ru")]
    return (
        done.finish == "stop"
        and len(parts) == 2
        and all(0 < len(part) <= _LONGEST for part in parts)
        and parts[0].casefold() != parts[1].casefold()
        and len(wanted) >= 0.8 * len(letters)
    )


def _known(words: Sequence[str]) -> float:
    morph = _morphology()
    return sum(morph.word_is_known(word) for word in words) / len(words)


@functools.cache
def _morphology() -> Any:
    import pymorphy3

    return pymorphy3.MorphAnalyzer()


def _file_name(path: Path) -> str:
    stat = path.stat()
    with path.open("rb") as file:
        ends = file.read(_SAMPLE)
        file.seek(max(stat.st_size - _SAMPLE, 0))
        ends += file.read(_SAMPLE)
    key = f"{VERSION}|{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|".encode() + ends
    return f"probe-{hashlib.sha256(key).hexdigest()[:16]}.json"


def _read(path: Path) -> ProbeResult | None:
    """A kept answer; None when there is none or it cannot be read, so that it is made anew."""
    try:
        return ProbeResult(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
