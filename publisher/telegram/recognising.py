"""Is this picture in the channel ours? Servers compress pictures anew, so bytes do not tell."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image

from publisher.ledger.models import Meme

HASH_BITS = 16
SAME_PICTURE = 48
SIDE = 64


@dataclass(frozen=True)
class Print:
    """A picture's perceptual hash and, unless only its hash was kept, its grey values small."""

    hash: Any
    grey: Any = None

    def apart(self, other: Print) -> float | None:
        """How unlike two prints are: bits plus grey levels; None when not the same picture.

        Two texts on one template may both count as the same picture; the nearer one is it.
        """
        bits = int(self.hash - other.hash)
        if bits > SAME_PICTURE:
            return None
        if self.grey is None or other.grey is None:
            return float(bits)
        return bits + float(np.abs(self.grey - other.grey).mean())


def same_words(one: str, other: str) -> bool:
    """Whether two captions are one: servers cut white space off and compose letters."""
    first, second = (" ".join(unicodedata.normalize("NFC", t).split()) for t in (one, other))
    return first == second


def print_of(picture: bytes) -> Print:
    """Raises OSError when it is no picture."""
    image = Image.open(io.BytesIO(picture))
    grey = np.asarray(image.convert("L").resize((SIDE, SIDE)), dtype=np.float32)
    return Print(imagehash.phash(image, HASH_BITS), grey)


def print_of_meme(meme: Meme, media: Path) -> Print | None:
    """From the file, or from the hash in the ledger when the file is gone or spoilt."""
    try:
        return print_of((media / meme.file).read_bytes())
    except OSError:
        return print_kept(meme)


def print_kept(meme: Meme) -> Print | None:
    """From the hash in the ledger alone."""
    kept = meme.phash
    return Print(imagehash.hex_to_hash(kept)) if len(kept) * 4 == HASH_BITS**2 else None
