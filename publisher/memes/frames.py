"""Frames: captions that are funny by construction, with slots for the topic, fills and choices.

`frames/<language>/<template>.txt` holds the frames of a template; docs/captions.md has the format.
A model is not needed: without one, choices and fills are drawn by the seed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from publisher.memes import inflect
from publisher.memes.frames_kinds import DATA, FEELINGS, TopicPhrase, kinds_of_words
from publisher.memes.frames_topic import quoted, topic_phrases
from publisher.memes.types import Caption

Rank = Callable[[str, list[str]], list[float]]
Fill = Callable[[str, str, int], list[str]]

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

_NEUTRAL = {"ru": "что-то", "en": "something"}

# What a header may ask of a topic besides its kinds.
MARKS = frozenset({"any", "sg", "pl", "anim", "inan", "plain", "one", "two", "quote", "news"})
PARTS = frozenset({"first", "second"})
PHRASES = PARTS | {"topic", "the", "agree"}
_SLOT = re.compile(r"\{([^{}]*)\}")
_ATTRIBUTE = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')
_FIT_WEIGHT = 3.0  # of each kind that a frame asks for, against Gumbel noise of scale 1
_CHOICE_TEMPERATURE = 0.35  # nats a character-normalised score may be overruled by the seed


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


# Reading


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
    if name in ("topic", "the", "first", "second"):
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


# Filling


def fill_frames(
    topic: str,
    language: str,
    *,
    count: int,
    seed: int,
    rank: Rank | None = None,
    fill: Fill | None = None,
    model: str = "",
    templates: Iterable[str] | None = None,
    kinds: Iterable[str] | None = None,
    avoid: Sequence[tuple[str, tuple[str, ...]]] = (),
    limits: Mapping[str, tuple[int, ...]] | None = None,
) -> list[Caption]:
    """Up to `count` captions for `topic`, no frame twice, templates taking turns.

    `rank(prompt, continuations)` gives a log-likelihood each; `fill(prompt, neutral, words)`
    proposes short phrases that `prompt` calls for and `neutral`, the same without the topic, does
    not. Without them the seed decides. `kinds` adds to what is known of the topic; frames that
    made one of `avoid` come last, the captions themselves never again. The result depends on the
    arguments alone. Empty when no frame suits.
    """
    phrases = topic_phrases(topic, language) or [quoted(topic, language)]
    extra = frozenset(kinds or ())
    wanted = set(templates) if templates is not None else None
    posted = {(template, normal_texts(texts)) for template, texts in avoid}
    spent = _spent_frames(avoid, language)
    rng = Random(f"{seed}|{language}|{topic}")
    scored: list[tuple[float, Frame, TopicPhrase]] = []
    for frame in load_frames(language):
        if wanted is not None and frame.template not in wanted:
            continue
        options = []
        for at, phrase in enumerate(phrases):
            fit = frame.fit(_with_kinds(phrase, extra))
            if fit:
                options.append((_FIT_WEIGHT * fit - 0.6 * at, phrase))
        noise = -math.log(-math.log(rng.random() or 0.5))
        if options:
            weight, phrase = max(options, key=lambda option: option[0])
            weight -= 3.0 * spent.get(frame.id, 0)
            scored.append((weight + noise, frame, phrase))
    captions: list[Caption] = []
    for frame, phrase in _take_turns(scored):
        caption = fill_frame(
            frame, phrase, seed=seed, rank=rank, fill=fill, model=model, limits=limits
        )
        if caption and (caption.template, normal_texts(caption.texts)) not in posted:
            captions.append(caption)
        if len(captions) >= count:
            break
    return captions


def _with_kinds(phrase: TopicPhrase, extra: frozenset[str]) -> TopicPhrase:
    if not extra:
        return phrase
    return TopicPhrase(**{**phrase.__dict__, "kinds": phrase.kinds | extra})


def _take_turns(
    scored: list[tuple[float, Frame, TopicPhrase]],
) -> Iterable[tuple[Frame, TopicPhrase]]:
    """Best first, each further frame of a template set back, so that templates take turns."""
    used: dict[str, int] = {}
    ordered = []
    for score, frame, phrase in sorted(scored, key=lambda item: (-item[0], item[1].id)):
        turn = used.get(frame.template, 0)
        used[frame.template] = turn + 1
        ordered.append((score - 2.0 * turn, frame, phrase))
    for _, frame, phrase in sorted(ordered, key=lambda item: (-item[0], item[1].id)):
        yield frame, phrase


def _spent_frames(avoid: Sequence[tuple[str, tuple[str, ...]]], language: str) -> dict[str, int]:
    """How often each frame made one of the captions posted before."""
    counts: dict[str, int] = {}
    posted: dict[str, list[str]] = {}
    for template, texts in avoid:
        posted.setdefault(template, []).append("\n".join(texts).casefold())
    for frame in load_frames(language):
        hits = sum(bool(frame.pattern.fullmatch(t)) for t in posted.get(frame.template, ()))
        if hits:
            counts[frame.id] = hits
    return counts


def normal_texts(texts: Sequence[str]) -> tuple[str, ...]:
    """Texts as compared for sameness: case, punctuation and spacing do not count."""
    return tuple(" ".join(re.findall(r"\w+", text.casefold().replace("ё", "е"))) for text in texts)


def fill_frame(
    frame: Frame,
    topic: TopicPhrase,
    *,
    seed: int,
    rank: Rank | None = None,
    fill: Fill | None = None,
    model: str = "",
    limits: Mapping[str, tuple[int, ...]] | None = None,
) -> Caption | None:
    """The frame's caption for the topic, or None when a text would be too long for its box."""
    rng = Random(f"{seed}|{frame.id}|{topic.text}")
    texts: list[str] = []
    asked = False
    prompt = ""
    for box in frame.boxes:
        text = ""
        for at, slot in enumerate(box):
            if slot.kind in ("choice", "fill"):
                prompt = _prompt(topic, frame, [*texts, text])
                asked = asked or rank is not None
                options = [*slot.options, *_proposed(slot, topic, fill)]
                piece = _choose(options, prompt, _rest(box, at, topic), rng, rank)
            else:
                piece = _piece(slot, topic)
            if slot.kind in PHRASES:
                text = inflect.fix_preposition(text, piece) if topic.language == "ru" else text
                if slot.kind in PHRASES and topic.language == "en":
                    text = re.sub(r"\b([Aa])n? $", _article(piece), text)
            text += piece[:1].upper() + piece[1:] if slot.capital else piece
        texts.append(_tidy(text))
    boxes = (limits or LIMITS).get(frame.template, LIMITS[frame.template])
    if any(len(text) > limit for text, limit in zip(texts, boxes, strict=True)):
        return None
    return Caption(
        template=frame.template,
        texts=tuple(texts),
        language=frame.language,
        method="frame",
        source=frame.id,
        model=model if asked else "",
        prompt=prompt if asked else "",
        seed=seed,
    )


def _piece(slot: Slot, topic: TopicPhrase) -> str:
    if slot.kind == "text":
        return slot.value
    if slot.kind == "quote":
        text = topic.text.strip(' .…«»“”"')
        return f"«{text}»" if topic.language == "ru" else f"“{text}”"
    if slot.kind == "agree":
        return inflect.agree(topic.gender, slot.options)
    if slot.kind in ("first", "second"):
        return topic.parts[slot.kind == "second"][inflect.CASES.index(slot.value)]
    if slot.kind == "the":
        return topic.article + topic.phrase
    return topic.forms[inflect.CASES.index(slot.value)]


def _rest(box: tuple[Slot, ...], at: int, topic: TopicPhrase) -> str:
    """What is written after a choice, up to the next one: it too must sound right with it."""
    rest = ""
    for slot in box[at + 1 :]:
        if slot.kind in ("choice", "fill"):
            break
        rest += _piece(slot, topic)
    return rest


def _choose(options: list[str], prompt: str, rest: str, rng: Random, rank: Rank | None) -> str:
    """The option that the model finds likeliest here, a little shaken by the seed."""
    noise = [-math.log(-math.log(rng.random() or 0.5)) for _ in options]
    if rank is None:
        return options[noise.index(max(noise))]
    scores = rank(prompt, [" " + option + rest for option in options])
    per_character = [s / max(len(o + rest), 1) for s, o in zip(scores, options, strict=True)]
    keyed = [s / _CHOICE_TEMPERATURE + n for s, n in zip(per_character, noise, strict=True)]
    return options[keyed.index(max(keyed))]


def _proposed(slot: Slot, topic: TopicPhrase, fill: Fill | None) -> list[str]:
    prompt = fill_prompts(topic.language).get(slot.hint)
    if fill is None or prompt is None or slot.kind != "fill":
        return []
    words = int(slot.value)
    neutral = _NEUTRAL[topic.language]
    found = fill(prompt.format(topic=topic.phrase), prompt.format(topic=neutral), words)
    taken = {*slot.options, topic.phrase, topic.head}
    return [text for text in found if is_short_noun_phrase(text, words) and text not in taken]


@lru_cache(maxsize=4)
def fill_prompts(language: str) -> dict[str, str]:
    """What a model reads before it proposes a fill, by hint."""
    path = DATA / f"fills.{language}.txt"
    if not path.exists():
        return {}
    text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8"))
    parts = re.split(r"^\[(\w+)\]\n", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def is_short_noun_phrase(text: str, words: int) -> bool:
    """Whether a fill is what a noun slot takes: known Russian words, a noun in the nominative."""
    tokens = text.split()
    if not 1 <= len(tokens) <= words or not re.fullmatch(r"[а-яё -]+", text):
        return False
    if not all(inflect.morph().word_is_known(token) for token in tokens):
        return False
    return inflect.noun_phrase(tokens) is not None


def _prompt(topic: TopicPhrase, frame: Frame, texts: list[str]) -> str:
    """What the model reads before a choice. The topic is quoted data, on one line."""
    label = "Тема" if topic.language == "ru" else "Topic"
    written = "\n".join(text for text in texts if text).rstrip()
    return f"{label}: {topic.phrase}\n{written}" if written else f"{label}: {topic.phrase}\n"


def _article(word: str) -> Callable[[re.Match[str]], str]:
    vowel = word[:1].lower() in "aeiou" and not re.match(r"(?:uni|use|eu|one)", word.lower())
    return lambda match: match.group(1) + ("n " if vowel else " ")


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    first = next((i for i, char in enumerate(text) if char.isalnum()), 0)
    if not re.match(r"[a-zа-яё]+[A-Z]", text[first:]):  # «iPhone» keeps its small letter
        text = text[:first] + text[first : first + 1].upper() + text[first + 1 :]
    return text
