"""Frames: captions that are funny by construction, with slots for the topic, fills and choices.

A model is not needed: without one, choices and fills are drawn by the seed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from random import Random

from publisher.memes import inflect
from publisher.memes.frames_file import LIMITS, PHRASES, Frame, Slot, load_frames
from publisher.memes.frames_kinds import DATA, TopicPhrase
from publisher.memes.frames_topic import quoted, topic_phrases
from publisher.memes.types import Caption

Rank = Callable[[str, list[str]], list[float]]
Fill = Callable[[str, str, int], list[str]]

_NEUTRAL = {"ru": "что-то", "en": "something"}
_FIT_WEIGHT = 5.0  # of each kind that a frame asks for, against Gumbel noise of scale 1
_SPENT_WEIGHT = 5.0  # of each post that a frame made
_CHOICE_TEMPERATURE = 0.35  # nats a character-normalised score may be overruled by the seed


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
    posted = {(template, normal_texts(texts)) for template, texts in avoid}
    spent = _spent_frames(avoid, language)
    rng = Random(f"{seed}|{language}|{topic}")
    scored: list[tuple[float, Frame, TopicPhrase]] = []
    for frame, phrase, fit in suitable_frames(topic, language, templates, kinds):
        noise = -math.log(-math.log(rng.random() or 0.5))
        weight = _FIT_WEIGHT * fit - _SPENT_WEIGHT * spent.get(frame.id, 0)
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


def suitable_frames(
    topic: str,
    language: str,
    templates: Iterable[str] | None = None,
    kinds: Iterable[str] | None = None,
) -> list[tuple[Frame, TopicPhrase, float]]:
    """Every frame that suits the topic, with the reading that it suits best and how closely it is
    cut to it: about 1 for a frame that suits any topic, 2 for one that asks for what the topic is.
    In file order."""
    phrases = topic_phrases(topic, language) or [quoted(topic, language)]
    extra = frozenset(kinds or ())
    readings = [(at, _with_kinds(phrase, extra)) for at, phrase in enumerate(phrases)]
    wanted = set(templates) if templates is not None else None
    found = []
    for frame in load_frames(language):
        if wanted is not None and frame.template not in wanted:
            continue
        fits = [(fit - 0.2 * at, phrase) for at, phrase in readings if (fit := frame.fit(phrase))]
        if fits:
            best, phrase = max(fits, key=lambda option: option[0])
            found.append((frame, phrase, best))
    return found


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
            text += _capital(piece) if slot.capital else piece
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
    if slot.kind == "a":
        return ("an " if _vowel(topic.phrase) else "a ") * bool(topic.article) + topic.phrase
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
    return lambda match: match.group(1) + ("n " if _vowel(word) else " ")


def _vowel(word: str) -> bool:
    """Whether «an» stands before it: «an hour», «an SMS», «a university»."""
    letters = re.match(r"[A-Z]+(?![a-z])", word)
    if letters and len(letters[0]) > 1:
        return letters[0][0] in "AEFHILMNORSX"
    return bool(re.match(r"(?!uni|use|eu|one)[aeiou]|hour|honest", word.lower()))


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    first = next((i for i, char in enumerate(text) if char.isalnum()), 0)
    return text[:first] + _capital(text[first:])


def _capital(text: str) -> str:
    if re.match(r"[a-zа-яё]+[A-Z]", text):  # «iPhone» keeps its small letter
        return text
    return text[:1].upper() + text[1:]
