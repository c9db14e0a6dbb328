"""What the meme-making modules hand to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["frame", "free", "human"]


@dataclass(frozen=True)
class Caption:
    """The texts for a template's boxes, and how they came to be."""

    template: str
    texts: tuple[str, ...]
    language: str
    method: Method
    source: str = ""
    model: str = ""
    prompt: str = ""
    seed: int = 0
