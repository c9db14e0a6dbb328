"""What a partner's reply means: rules first, then the nearest labelled examples, else unknown.

The errors are not alike: taking a receipt for an acceptance would make our numbers lie, the other
way round costs nothing, for what counts is the meme seen in the channel. So words of acceptance
count only where nothing in the reply says that the decision is still to come, and nearness to
labelled examples never makes an acceptance.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from publisher.embedding import embed
from publisher.partners.plain import UKRAINIAN, normalise
from publisher.partners.subject import another_matter, without_asides

Meaning = Literal[
    "receipt", "accepted", "published", "rejected", "rate_limited", "blocked",
    "confirm", "greeting", "precondition", "unsupported", "unknown",
]  # fmt: skip
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)
YES: frozenset[Meaning] = frozenset({"accepted", "published"})

HERE = Path(__file__).parent
NEIGHBOURS = 5
NEAR = 0.62
MAJORITY = 0.6
SENTENCE = re.compile(r"[.!?;]+|[^\w\s,:@#/'\"()«»—–+%-]+")
"""Between sentences; an emoji is as good as a full stop."""
HEADING = re.compile(
    r"\b(?:решение|вердикт|результат|статус|decision|verdict|result|outcome|status)\b[^.!?:]{0,25}:"
)
"""«Решение модератора:» speaks of a decision that was made."""

NAMES_REFUSAL = re.compile(r"отклон|отказ|reject|declin")
YES_SIGNALS = ("published", "approved", "accepted", "promised")
_ON = r"(?:(?!\b(?:если|после|пока|if|when|after)\b)[^.!?(—–])*"
"""To the end of the clause, and never past a condition."""
ASKING = re.compile(rf"\bесли (?:у вас|вы|ты|захот|хот|есть|что){_ON}|\bif you{_ON}")
AFTERWARDS = re.compile(
    r"\b(?:после|когда|как только) (?:пост |мем |он[ао]? )?"
    r"(?:публикации|выхода|выйдет|опубликуем)\b[^.!?]{0,20}"
    rf"(?:ссылк|пришл|сообщ|уведом|напиш|дадим|скин){_ON}|\bпереписк\w*{_ON}|"
    r"\b(?:уведомим|сообщим|напишем|скажем)\b[^.!?]{0,15}"
    rf"\bкогда [^.!?]{{0,12}}(?:набер|собер){_ON}|"
    r"\bна (?:рассмотрении|модерации|проверке)\W{0,4}(?:→|->|=>)|"
    r"\b(?:you'll|you will|we'll|we will|i'll) "
    r"(?:get|send|receive|notify|ping|dm|let you know|tell)[^.!?]{0,40}"
    r"(?:once|when|as soon as|after) (?:it|your \w+|this)"
    r"(?:'s| is| goes| has been)? (?:live|up|out|posted|published|online)"
)
"""What is told beside a decision and nothing hangs on: a link to come, the state before."""
PASSED = re.compile(r"\bмодерация (?:успешно |полностью )?пройдена\b")
BY_ITSELF = re.compile(r"\b(?:опубликован|размещен|выложен|выйдет|появится)\w* автоматически\b\W*$")
"""Words of a decision to come that tell of none beside «одобрено»."""
TO_COME = re.compile(
    r"\b(?:буд[еу]т|стан[еу]т)\b[^.!?,—–]{0,30}\bодобрен|\bодобрен\w* (?:буд[еу]т|стан[еу]т)\b"
)
"""«Будет одобрено — выйдет»: a condition."""
ABOUT_ANOTHER = re.compile(
    r"\b(?:предыдущ|прошл|уже\b|раньше|ранее|заявок|сегодня|не\b|лимит|осталось)|n't\b|"
    r"\b(?:previous|earlier|last|already|not|limit|remaining|left)\b|\d\s*(?:/|из|of)\s*\d"
)
"""A sentence that may speak of an offer before this one, or counts them."""


@dataclass(frozen=True)
class Reading:
    """`because` names the rule or the nearest example; `score` in [0, 1], 1 for a rule."""

    meaning: Meaning
    because: str
    score: float


@dataclass(frozen=True)
class Example:
    text: str
    meaning: Meaning
    language: str


@dataclass(frozen=True)
class Own:
    """A pattern that the owner added for one partner; it is asked before all others."""

    pattern: str
    meaning: Meaning


@cache
def signals() -> dict[str, re.Pattern[str]]:
    found = tomllib.loads((HERE / "patterns.toml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(f"(?:{p})" for p in ps)) for name, ps in found.items()}


EMOJI: dict[str, Meaning] = {
    **dict.fromkeys("✅☑✔👍👌📨📩📬⏳⌛🆗🫡", "receipt"),
    **dict.fromkeys("❌👎🚫✖⛔", "rejected"),
}


def read_rules(text: str, own: Sequence[Own] = ()) -> Reading:
    """The meaning by rules alone; unknown when none applies."""
    plain = normalise(text)
    for rule in own:
        if re.search(rule.pattern, plain) or re.search(rule.pattern, text):
            return Reading(rule.meaning, f"own pattern {rule.pattern}", 1.0)
    meaning, because = _by_words(plain, bool(UKRAINIAN.search(text)))
    return Reading(meaning, because, 0.0 if meaning == "unknown" else 1.0)


def _by_words(plain: str, ukrainian: bool) -> tuple[Meaning, str]:
    if not re.search(r"\w", plain):
        return _by_emoji(plain)
    if opening := _found("introduction", plain):
        return "greeting", opening
    held = _held_up(plain)
    if held:
        return held
    no = _refusal(plain)
    if no:
        return "rejected", no
    asked = _found("confirm", plain)
    if asked and not _found("confirm_not", plain):
        return "confirm", asked
    yes = _consent(plain)
    if yes and yes[0] in YES:
        return _doubted(plain, yes, ukrainian) or yes
    if other := _found("other_thing", plain):
        return "unknown", f"speaks of something else, {other}"
    if _found("invitation", plain) and _found("greeting", plain) and not _arrived(plain):
        return "greeting", _found("greeting", plain)
    if yes:
        return yes
    for name in ("unsupported", "receipt", "greeting"):
        if found := _found(name, plain):
            return name, found
    return "unknown", "no rule applies"


def _by_emoji(plain: str) -> tuple[Meaning, str]:
    meanings = {EMOJI[c] for c in plain if c in EMOJI}
    if len(meanings) == 1:
        return meanings.pop(), "emoji alone"
    return "unknown", "no words"


def _held_up(plain: str) -> tuple[Meaning, str] | None:
    """Bans, limits, conditions, what is not taken at all, and «not yet»."""
    blocked = _found("blocked", plain)
    if blocked and not _found("blocked_rule", plain):
        return "blocked", blocked
    limit = _found("limit", plain)
    if limit and not _found("limit_not", plain):
        if arrived := _arrived_before_limit(plain):
            return "receipt", f"{arrived}; the limit is for the next"
        return "rate_limited", limit
    waiting = _found("not_yet", plain)
    if waiting:
        return "receipt", f"no decision yet: {waiting}"
    if demand := _found("demand", plain):
        return "precondition", demand
    condition = _found("precondition", plain)
    if condition and not _already_there(plain):
        return "precondition", condition
    refused_kind = _found("unsupported", plain)
    if refused_kind and not _already_there(plain):
        return "unsupported", refused_kind
    return None


def _arrived_before_limit(plain: str) -> str:
    """Our offer got in, and the limit is told for the next one: «Получено. Следующий — завтра».

    To take it for a limit would send the same meme again.
    """
    for sentence in SENTENCE.split(plain):
        if ABOUT_ANOTHER.search(sentence) or _found("limit", sentence):
            continue
        if _arrived(sentence):
            return f"arrived: «{sentence.strip()[:60]}»"
    return ""


def _already_there(plain: str) -> bool:
    """The offer arrived or was decided on: «подпишитесь на канал» is then an advertisement."""
    return _arrived(plain) or bool(_found("approved", plain) or _found("published", plain))


def _arrived(plain: str) -> bool:
    arrived = _found("arrived", plain)
    taken = re.search(r"(?<!не )\bпринят[оа]?\b|на модерац|(?<!not )\baccepted\b", plain)
    return bool(arrived or taken)


def _refusal(plain: str) -> str:
    """A sentence that says no, and does not merely speak of refusals."""
    for sentence, end in re.findall(r"([^.!?;\n]+)([.!?;\n]*)", plain):
        if "?" in end and not NAMES_REFUSAL.search(sentence):
            continue
        found = _found("rejected", sentence)
        if found and not _found("rejected_not", sentence):
            return found
    return ""


def _consent(plain: str) -> tuple[Meaning, str] | None:
    """Published or accepted, if nothing says that the decision is still to come."""
    asked = ASKING.sub(" ", AFTERWARDS.sub(" ", plain))
    unasked = re.sub(r"[^.!?]*\?", " ", asked)
    to_come = TO_COME.search(asked)
    undecided = to_come[0] if to_come else _found("undecided", HEADING.sub(" ", asked))
    arrived = _found("arrived", asked)
    told = _found("published", unasked)
    if told and not undecided and not _found("published_not", asked) and _is_ours(asked):
        return "published", told
    approved = _found("approved", unasked)
    if approved and undecided and not to_come:
        settled = PASSED.sub(" ", BY_ITSELF.sub(" ", asked))
        undecided = _found("undecided", HEADING.sub(" ", settled))
    if approved and not undecided:
        return "accepted", approved
    said = _found("accepted", asked) or _found("promised", asked)
    if said and not undecided and not arrived and "?" not in asked:
        return "accepted", said
    if not (undecided or arrived) and not any(_found(name, unasked) for name in YES_SIGNALS):
        return None
    if said or approved or told:
        return "receipt", f"{said or approved or told}, but {undecided or arrived or 'in doubt'}"
    return None


def _doubted(plain: str, yes: tuple[Meaning, str], ukrainian: bool) -> tuple[Meaning, str] | None:
    """A yes with a price is a condition; one to something else, or half taken back, is unknown.

    Of `ukrainian` too few words are known to tell a condition: all beside the yes must be.
    """
    meaning, because = yes
    plain = AFTERWARDS.sub(" ", plain)
    if price := _found("paid", plain):
        return "precondition", f"{because}, but {price}"
    if doubt := _found("yes_not", plain) or _found("other_thing", plain):
        return "unknown", f"{because}, but {doubt}"
    names = ("published",) if meaning == "published" else ("approved", "accepted", "promised")

    def says_yes(part: str) -> bool:
        return any(_found(name, part) for name in names)

    sentences = [s for s in SENTENCE.split(without_asides(plain)) if says_yes(s)]
    others = [another_matter(sentence, says_yes, ukrainian) for sentence in sentences]
    if others and all(others):
        return "unknown", f"{because}, but it speaks of «{others[0]}»"
    return None


def _is_ours(plain: str) -> bool:
    """The reply speaks of our offer: by name, by a link, or it is too short to be news."""
    named = re.search(
        r"ваш|тво[йеяю]|предлож|заявк|\bего\b|\bее\b|#\d|t\.me/|\byour\b|\bit\b|submission|suggestion|"
        r"\b(?:одобрен|принят)[оаы]? и |\b(?:approved|accepted) and ",
        plain,
    )
    return bool(named) or len(plain.split()) <= 8


def _found(signal: str, plain: str) -> str:
    """`signal: the words that gave it`, or nothing."""
    match = signals()[signal].search(plain)
    return f"{signal}: «{match[0].strip()[:60]}»" if match else ""


@cache
def examples() -> tuple[Example, ...]:
    """The labelled replies."""
    lines = (HERE / "labelled" / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Example(**json.loads(line)) for line in lines if line.strip())


@cache
def traps() -> tuple[str, ...]:
    """Replies with words of acceptance that accept nothing of ours."""
    text = (HERE / "labelled" / "no_acceptance.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


@cache
def _example_vectors(embedding: str | None) -> np.ndarray:
    return embed([normalise(e.text) for e in examples()], embedding)


def read_replies(
    texts: Sequence[str], embedding: str | None = None, own: Sequence[Own] = ()
) -> list[Reading]:
    """The meaning of each reply: rules first, then the nearest labelled examples.

    `embedding` as in `publisher.embedding.embed`, whose EmbeddingError it raises.
    """
    readings = [read_rules(text, own) for text in texts]
    left = [i for i, r in enumerate(readings) if r.meaning == "unknown" and has_words(texts[i])]
    if left:
        vectors = embed([normalise(texts[i]) for i in left], embedding)
        known = _example_vectors(embedding)
        for index, similarity in zip(left, vectors @ known.T, strict=True):
            readings[index] = read_by_nearness(texts[index], similarity, examples())
    return readings


def read_by_nearness(text: str, similarity: np.ndarray, labelled: Sequence[Example]) -> Reading:
    """`nearest`, but of a reply that only asks nothing is believed except `confirm`."""
    near = nearest(similarity, labelled)
    asks_only = not re.search(r"\w", re.sub(r"[^.!?]*\?", "", normalise(text)))
    if asks_only and near.meaning != "confirm":
        return Reading("unknown", f"a question, {near.because}", near.score)
    return near


def has_words(text: str) -> bool:
    return bool(re.search(r"\w", normalise(text)))


def nearest(similarity: np.ndarray, labelled: Sequence[Example]) -> Reading:
    """What the nearest examples agree on; unknown when none is near or they do not agree.

    `similarity`: cosines with `labelled`, shape (n,). Acceptance is never inferred from nearness.
    """
    order = np.argsort(similarity)[::-1][:NEIGHBOURS]
    best = float(similarity[order[0]])
    example = labelled[int(order[0])]
    near = f"nearest: «{example.text[:60]}» ({example.meaning})"
    if best < NEAR:
        return Reading("unknown", near, best)
    votes: dict[Meaning, float] = {}
    for i in order:
        meaning = labelled[int(i)].meaning
        votes[meaning] = votes.get(meaning, 0.0) + max(float(similarity[i]), 0.0) ** 4
    winner = max(votes, key=lambda m: votes[m])
    share = votes[winner] / sum(votes.values())
    if share < MAJORITY or winner in YES:
        return Reading("unknown", near, best)
    return Reading(winner, near, best * share)
