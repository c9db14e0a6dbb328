"""File parts up, files down."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import bad
from ..records import Media
from ..rpc import Call, handles

MAX_CHUNK = 1024 * 1024
PHOTO = (tl.InputMediaUploadedPhoto, tl.InputMediaPhoto)
DOCUMENT = (tl.InputMediaUploadedDocument, tl.InputMediaDocument)


@handles(fn.upload.SaveFilePartRequest)
def save_file_part(call: Call, request: Any) -> bool:
    call.world.media.save_part(
        call.user.id, request.file_id, request.file_part, request.bytes, None
    )
    return True


@handles(fn.upload.SaveBigFilePartRequest)
def save_big_file_part(call: Call, request: Any) -> bool:
    call.world.media.save_part(
        call.user.id, request.file_id, request.file_part, request.bytes, request.file_total_parts
    )
    return True


@handles(fn.upload.GetFileRequest)
def get_file(call: Call, request: Any) -> Any:
    where = request.location
    if not isinstance(where, tl.InputPhotoFileLocation | tl.InputDocumentFileLocation):
        raise bad("LOCATION_INVALID")
    if where.access_hash != call.world.access_hash(call.user.id, "media", where.id):
        raise bad("FILE_ID_INVALID")
    if not 0 < request.limit <= MAX_CHUNK or request.limit % 1024:
        raise bad("LIMIT_INVALID")
    if request.offset < 0 or request.offset % 1024:
        raise bad("OFFSET_INVALID")
    data = call.world.media.data(where.id, where.thumb_size)
    if data is None:
        raise bad("FILE_REFERENCE_INVALID")
    kind = tl.storage.FileJpeg() if where.thumb_size else tl.storage.FileUnknown()
    mtime = int(call.world.now().timestamp())
    return tl.upload.File(kind, mtime, data[request.offset : request.offset + request.limit])


def media_of(call: Call, given: Any) -> Media:
    """What an InputMedia stands for; uploads become stored media."""
    store = call.world.media
    match given:
        case tl.InputMediaUploadedPhoto():
            return store.add_photo(_uploaded(call, given.file), call.world.now())
        case tl.InputMediaUploadedDocument():
            thumb = _uploaded(call, given.thumb) if given.thumb else None
            names = [a for a in given.attributes if isinstance(a, tl.DocumentAttributeFilename)]
            attributes = given.attributes if names else [*given.attributes, _file_name(given)]
            data = _uploaded(call, given.file)
            return store.add_document(data, given.mime_type, attributes, call.world.now(), thumb)
        case tl.InputMediaPhoto() | tl.InputMediaDocument():
            return stored_media(call, given.id)
        case tl.InputMediaPhotoExternal() | tl.InputMediaDocumentExternal():
            raise bad("WEBPAGE_CURL_FAILED")
    raise bad("MEDIA_INVALID")


def stored_media(call: Call, given: Any) -> Media:
    media = call.world.media.get(getattr(given, "id", 0))
    if media is None:
        raise bad("MEDIA_EMPTY")
    if given.access_hash != call.world.access_hash(call.user.id, "media", media.id):
        raise bad("MEDIA_EMPTY")
    return media


def _file_name(given: Any) -> Any:
    return tl.DocumentAttributeFilename(getattr(given.file, "name", "") or "file")


def _uploaded(call: Call, given: Any) -> bytes:
    if not isinstance(given, tl.InputFile | tl.InputFileBig):
        raise bad("MEDIA_INVALID")
    return call.world.media.assemble(call.user.id, given.id, given.parts)
