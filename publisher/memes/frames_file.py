"""Frames as written in `frames/<language>/<template>.txt`; docs/captions.md has the format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from publisher.memes import inflect
from publisher.memes.frames_kinds import DATA, FEELINGS, TopicPhrase, kinds_of_words

LINE, LABEL, LONG = 60, 32, 90
LIMITS: dict[str, tuple[int, ...]] = {
    "no_yes": (LINE, LINE),
    "expectation_reality": (LINE, LINE),
    "escalation": (LINE,) * 4,
    "before_after": (LINE, LINE),
    "nobody_me": (LINE, LONG),
    "dialogue": (LINE,) * 3,
    "list_of_four": (LINE, *(LABEL,) * 4),
    "distracted": (LABEL,) * 3,
    "reaction_cat": (LONG,),
    "announcement": (LABEL, LONG),
    "comparison_table": (LABEL,) * 6,
    "two_buttons": (LABEL,) * 3,
    "rocket": (LINE, LINE),
    "coffee": (LINE, LINE),
    "moon": (LONG, LABEL),
    "documentary": (LINE, LONG),
    "pie_chart": (LINE, LABEL, LABEL),
    "iceberg": (LABEL, LONG),
    "scales": (LABEL, LABEL),
    "crossroads": (LABEL,) * 3,
    "messenger": (LABEL, LINE, LINE, LINE),
    "notification": (LABEL, LINE, LINE),
    "diploma": (LABEL, LONG),
    "forecast": (LINE, LABEL, LABEL, LABEL),
    "error_window": (LABEL, LONG, LABEL, LABEL),
    "handshake": (LABEL,) * 3,
    "loading": (LINE, LINE),
    "stairs": (LABEL,) * 3,
}

# What a header may ask of a topic besides its kinds.
MARKS = frozenset({"any", "sg", "pl", "anim", "inan", "plain", "one", "two", "quote", "news"})
PARTS = frozenset({"first", "second"})
PHRASES = PARTS | {"topic", "the", "a", "agree"}
_SLOT = re.compile(r"\{([^{}]*)\}")
_ATTRIBUTE = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')


class FrameError(ValueError):
    """A frame file is malformed: the message names file, frame and fault."""


@dataclass(frozen=True)
class Slot:
    """`kind`: "text", "choice", "fill", "agree", "quote", or the phrase it stands for."""

    kind: str
    value: str = ""
    options: tuple[str, ...] = ()
    hint: str = ""
    capital: bool = False


@dataclass(frozen=True)
class Frame:
    """One frame. `suits` is a disjunction of conjunctions; "!kind" excludes."""

    id: str
    template: str
    language: str
    suits: tuple[frozenset[str], ...]
    boxes: tuple[tuple[Slot, ...], ...]
    source: tuple[str, ...]

    def fit(self, topic: TopicPhrase) -> float:
        """0 when the frame does not suit the topic, else 1 and more, the closer it is cut."""
        traits = _traits(topic)
        best = 0.0
        for wanted in self.suits:
            positive = {mark for mark in wanted if not mark.startswith("!")}
            negative = {mark[1:] for mark in wanted if mark.startswith("!")}
            if positive <= traits and not negative & traits:
                best = max(best, 1 + _specificity(positive))
        slots = {slot.kind for box in self.boxes for slot in box}
        if (slots & PHRASES and not topic.inflectable) or (slots & PARTS and not topic.parts):
            return 0
        return best

    @property
    def pattern(self) -> re.Pattern[str]:
        return _pattern(self)


@lru_cache(maxsize=2048)
def _pattern(frame: Frame) -> re.Pattern[str]:
    boxes = [
        "".join(
            re.escape(slot.value.casefold()) if slot.kind == "text" else ".{0,60}?" for slot in box
        )
        for box in frame.boxes
    ]
    return re.compile("\n".join(boxes))


def _specificity(wanted: set[str]) -> float:
    """How much a frame's wishes tell of the topic: a kind more than a feeling, a mark nothing."""
    return sum(
        2.0 if mark == "two" else 0.5 if mark in FEELINGS else 1.0
        for mark in wanted - (MARKS - {"two"})
    )


def _traits(topic: TopicPhrase) -> set[str]:
    traits = {"any", *topic.kinds, "anim" if topic.animate else "inan"}
    traits.add("pl" if topic.gender == "plur" else "sg")
    if not topic.inflectable:
        traits.add("quote")
    if topic.news:
        traits.add("news")
    if not topic.possessive and not topic.coordinated:
        traits.add("plain")
    if topic.parts:
        traits.add("two")
    if " " not in topic.phrase:
        traits.add("one")
    return traits


@lru_cache(maxsize=4)
def load_frames(language: str) -> tuple[Frame, ...]:
    """All frames of a language, in file order. Raises FrameError naming the faulty one."""
    frames: list[Frame] = []
    for path in sorted((DATA / language).glob("*.txt")):
        frames += parse_frames(path.read_text(encoding="utf-8"), path.stem, language)
    seen: set[str] = set()
    for frame in frames:
        if frame.id in seen:
            raise FrameError(f"{frame.id}: the id is used twice")
        seen.add(frame.id)
    return tuple(frames)


def parse_frames(text: str, template: str, language: str) -> list[Frame]:
    """Frames of one file: «[name] kinds», then a line a box; "#" begins a comment line."""
    if template not in LIMITS:
        raise FrameError(f"{template}: there is no such template")
    known = MARKS | frozenset().union(*kinds_of_words(language).values())
    frames = []
    blocks = re.split(r"\n\s*\n", unicodedata.normalize("NFC", text))
    for block in blocks:
        lines = [line.strip() for line in block.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if not lines:
            continue
        header = re.fullmatch(r"\[([\w-]+)\]\s*(.*)", lines[0])
        if not header:
            raise FrameError(f"{language}/{template}: expected «[name] kinds», got {lines[0]!r}")
        frame_id = f"{language}.{template}.{header.group(1)}"
        suits = tuple(frozenset(part.split("+")) for part in (header.group(2) or "any").split())
        unknown = {mark.lstrip("!") for part in suits for mark in part} - known
        if unknown:
            raise FrameError(f"{frame_id}: unknown kinds {sorted(unknown)}")
        texts = tuple(lines[1:])
        if len(texts) != len(LIMITS[template]):
            raise FrameError(
                f"{frame_id}: {len(texts)} lines, but {template} has {len(LIMITS[template])} boxes"
            )
        try:
            boxes = tuple(tuple(_slots(line)) for line in texts)
        except ValueError as error:
            raise FrameError(f"{frame_id}: {error}") from None
        frames.append(Frame(frame_id, template, language, suits, boxes, texts))
    return frames


def _slots(line: str) -> Iterable[Slot]:
    end = 0
    for match in _SLOT.finditer(line):
        if match.start() > end:
            yield Slot("text", line[end : match.start()])
        yield _slot(match.group(1))
        end = match.end()
    if end < len(line):
        yield Slot("text", line[end:])
    if "{" in _SLOT.sub("", line) or "}" in _SLOT.sub("", line):
        raise ValueError(f"unpaired brace in {line!r}")


def _slot(body: str) -> Slot:
    name, _, rest = body.partition(":")
    name, rest = name.strip(), rest.strip()
    capital = name[:1].isupper()
    name = name.lower()
    if name in ("topic", "the") and "|" in rest:
        variants = tuple(part.strip() for part in rest.split("|"))
        if len(variants) not in (2, 4):
            raise ValueError(f"agreement needs 2 or 4 variants: {body!r}")
        return Slot("agree", options=variants, capital=capital)
    if name in ("topic", "the", "a", "first", "second"):
        case = rest or "nomn"
        if case not in inflect.CASES:
            raise ValueError(f"unknown case {case!r}")
        return Slot(name, case, capital=capital)
    if name == "quote":
        return Slot("quote")
    if name == "choice":
        options = tuple(part.strip() for part in rest.split(" / ") if part.strip())
        if len(options) < 2:
            raise ValueError(f"a choice needs two options or more: {body!r}")
        return Slot("choice", options=options, capital=capital)
    if name == "fill":
        attributes = {key: a or b for key, a, b in _ATTRIBUTE.findall(rest)}
        options = tuple(part.strip() for part in attributes.get("list", "").split("|") if part)
        if not options:
            raise ValueError(f'a fill needs list="…" to fall back on: {body!r}')
        return Slot("fill", attributes.get("max", "2"), options, attributes.get("hint", ""))
    raise ValueError(f"unknown slot {body!r}")
