"""Photos and documents: checked as Telegram checks them, stored, cut into sizes."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image, UnidentifiedImageError

from .errors import bad
from .records import Media
from .store import Store

MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_SIDES_SUM = 10_000
MAX_ASPECT = 20
LARGEST_SIDE = 1280
THUMB_SIDE = 320
MAX_PARTS = 4000
REMEMBERED_UPLOADS = 100  # clients may send an uploaded file again, after a flood wait for one


@dataclass
class Upload:
    """The parts of a file that a client has sent so far."""

    parts: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None


class MediaStore:
    """All media, and the uploads that are not media yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._media: dict[int, Media] = {m.id: m for m in store.load("media")}
        self._uploads: OrderedDict[tuple[int, int], Upload] = OrderedDict()
        self._next = max(self._media, default=5_000_000_000) + 1

    def get(self, media_id: int | None) -> Media | None:
        return self._media.get(media_id or 0)

    def save_part(
        self, owner: int, file_id: int, part: int, data: bytes, total: int | None
    ) -> None:
        if not data:
            raise bad("FILE_PART_EMPTY")
        if len(data) > 512 * 1024:
            raise bad("FILE_PART_TOO_BIG")
        if not 0 <= part < MAX_PARTS:
            raise bad("FILE_PART_INVALID")
        upload = self._uploads.setdefault((owner, file_id), Upload())
        while len(self._uploads) > REMEMBERED_UPLOADS:
            self._uploads.popitem(last=False)
        upload.parts[part] = data
        upload.total = total if total is not None else upload.total

    def assemble(self, owner: int, file_id: int, parts: int) -> bytes:
        """The whole uploaded file. The parts stay, as clients may send the same file again."""
        upload = self._uploads.get((owner, file_id))
        if upload is None or parts <= 0:
            raise bad("FILE_PARTS_INVALID")
        for number in range(parts):
            if number not in upload.parts:
                raise bad(f"FILE_PART_{number}_MISSING")
        return b"".join(upload.parts[n] for n in range(parts))

    def add_photo(self, data: bytes, date: datetime) -> Media:
        """Stores a photo as JPEG of at most 1280 pixels a side, with a preview if it is large."""
        if len(data) > MAX_PHOTO_BYTES:
            raise bad("PHOTO_SAVE_FILE_INVALID")
        jpeg, size = _as_jpeg(data)
        blobs = {"y": jpeg}
        sizes = [("y", *size, len(jpeg))]
        if max(size) > THUMB_SIDE:
            blobs["m"], preview_size = _shrink(jpeg, THUMB_SIDE)
            sizes.insert(0, ("m", *preview_size, len(blobs["m"])))
        media = self._new("photo", data, "image/jpeg", date, sizes)
        for name, blob in blobs.items():
            self._store.put_blob(f"{media.id}/{name}", blob)
        return media

    def add_document(
        self,
        data: bytes,
        mime: str,
        attributes: list[Any],
        date: datetime,
        thumb: bytes | None = None,
    ) -> Media:
        sizes: list[tuple[str, int, int, int]] = []
        if thumb is not None:
            preview, size = _shrink(thumb, THUMB_SIDE)
            sizes.append(("m", *size, len(preview)))
        media = self._new("document", data, mime, date, sizes)
        media.attributes = attributes
        media.size = len(data)
        self._store.put("media", media.id, media)
        self._store.put_blob(f"{media.id}/", data)
        if thumb is not None:
            self._store.put_blob(f"{media.id}/m", preview)
        return media

    def data(self, media_id: int, size: str) -> bytes | None:
        media = self._media.get(media_id)
        if media is not None and media.kind == "photo" and not size:
            size = "y"
        return self._store.blob(f"{media_id}/{size}")

    def original(self, media_id: int) -> bytes:
        """The largest picture, or the document itself."""
        data = self.data(media_id, "y" if self._media[media_id].kind == "photo" else "")
        assert data is not None
        return data

    def _new(self, kind: Any, data: bytes, mime: str, date: datetime, sizes: Any) -> Media:
        digest = hashlib.sha256(data).hexdigest()
        media = Media(self._next, kind, date, digest, mime, sizes)
        self._next += 1
        self._media[media.id] = media
        self._store.put("media", media.id, media)
        return media


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise bad("IMAGE_PROCESS_FAILED") from error
    except Image.DecompressionBombWarning as error:
        raise bad("PHOTO_INVALID_DIMENSIONS") from error


def _as_jpeg(data: bytes) -> tuple[bytes, tuple[int, int]]:
    image = _open(data)
    width, height = image.size
    if width + height > MAX_SIDES_SUM or max(image.size) > MAX_ASPECT * min(image.size):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    if image.format == "JPEG" and max(image.size) <= LARGEST_SIDE and image.mode == "RGB":
        try:
            image.load()
        except OSError as error:
            raise bad("IMAGE_PROCESS_FAILED") from error
        return data, image.size
    return _encode(image, LARGEST_SIDE)


def _shrink(data: bytes, side: int) -> tuple[bytes, tuple[int, int]]:
    image = _open(data)
    image.draft("RGB", (side, side))
    return _encode(image, side)


def _encode(image: Image.Image, side: int) -> tuple[bytes, tuple[int, int]]:
    try:
        if image.mode in ("RGBA", "LA", "P"):
            image = image.convert("RGBA")
            ground = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(ground, image)
        image = image.convert("RGB")
    except OSError as error:
        raise bad("IMAGE_PROCESS_FAILED") from error
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=87)
    return out.getvalue(), image.size
