"""Our own captions: the examples of prompts, the demo's human memes, training data.

One file a language and template, `corpus/ru/no_yes.txt`: `## theme` headings, then one
caption a line, its boxes in the template's order, separated by ` | `.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parent / "corpus"
LANGUAGES = ("ru", "en")
THEMES = (
    "work",
    "money",
    "home",
    "internet",
    "weather",
    "pets",
    "study",
    "technology",
    "food",
    "people",
)
LONGEST_BOX = 90
"""Characters; no box of any template may hold more."""


class CorpusError(ValueError):
    """A corpus file is malformed; the message starts with `file:line`."""


@dataclass(frozen=True)
class Example:
    template: str
    language: str  # "ru" | "en"
    theme: str  # one of THEMES
    texts: tuple[str, ...]  # one per box of the template, in its order
    line: int  # counted from 1 in its file


def load_corpus(
    directory: Path = SHIPPED, limits: Mapping[str, Sequence[int]] | None = None
) -> tuple[Example, ...]:
    """Every caption under `directory/{ru,en}/*.txt`, in the order of files and lines.

    `limits` gives, for each template id, the most characters that each of its boxes may hold.
    Without it a file's first caption fixes the number of boxes and LONGEST_BOX their length.

    Raises CorpusError.
    """
    examples: list[Example] = []
    for language in LANGUAGES:
        for path in sorted((directory / language).glob("*.txt")):
            if limits is not None and path.stem not in limits:
                raise CorpusError(
                    f"{path}:1: no template is called {path.stem!r}; rename the file after one"
                )
            examples += _load_file(path, language, limits[path.stem] if limits else None)
    if not examples:
        raise CorpusError(f"{directory}:1: holds no captions; expected ru/*.txt or en/*.txt")
    return tuple(examples)


def caption_key(texts: Sequence[str]) -> str:
    """What is left of a caption when case, ё, punctuation and spacing are ignored."""
    folded = unicodedata.normalize("NFKC", " | ".join(texts)).casefold().replace("ё", "е")
    return " ".join(re.findall(r"\w+|\|", folded))


def _load_file(path: Path, language: str, limits: Sequence[int] | None) -> list[Example]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}:1: not UTF-8 ({error}); save it as UTF-8") from error
    theme = ""
    seen: dict[str, int] = {}
    examples: list[Example] = []
    for number, line in enumerate(lines, start=1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        if line.startswith("## "):
            theme = line.removeprefix("## ").strip()
            if theme not in THEMES:
                raise CorpusError(
                    f"{where}: unknown theme {theme!r}; expected one of {', '.join(THEMES)}"
                )
            continue
        if not theme:
            raise CorpusError(f"{where}: caption before the first `## theme` heading")
        texts = tuple(text.strip() for text in line.split("|"))
        if limits is None:
            limits = (LONGEST_BOX,) * len(texts)
        _check_boxes(texts, limits, where)
        key = caption_key(texts)
        if key in seen:
            raise CorpusError(f"{where}: duplicate of the caption in line {seen[key]}")
        seen[key] = number
        examples.append(Example(path.stem, language, theme, texts, number))
    return examples


def _check_boxes(texts: Sequence[str], limits: Sequence[int], where: str) -> None:
    if len(texts) != len(limits):
        raise CorpusError(f"{where}: {len(texts)} boxes, expected {len(limits)} separated by ` | `")
    for index, (text, limit) in enumerate(zip(texts, limits, strict=True), start=1):
        if not text:
            raise CorpusError(f"{where}: box {index} is empty")
        if len(text) > limit:
            raise CorpusError(
                f"{where}: box {index} has {len(text)} characters, at most {limit} allowed: {text}"
            )
