"""Photos out of a request: multipart files, base64 in JSON, or one picture as the whole body."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.http.field_faults import field_faults
from app.api.http.middleware.body import received_body
from app.api.http.problems import INVALID_REQUEST, UNSUPPORTED_MEDIA, ApiError
from app.domain.errors import TemporaryStorageError
from app.domain.photo_errors import PhotoError, PhotoTooManyBytesError, UndecodablePhotoError
from app.services.enrollment import Upload

BodyT = TypeVar("BodyT", bound=BaseModel)
MAX_JSON_MARKS = 1_000
#: How clients of several languages write a field that is a list: ``photos[]``, ``photos[0]``.
_LISTED = re.compile(r"\[\d{0,3}\]\Z")
#: How much of a form's end is kept: more than the longest boundary and what may follow it.
_TAIL_BYTES = 1024
_OTHER_ALPHABET = bytes.maketrans(b"-_", b"+/")


async def read_body(
    request: Request,
    shape: type[BodyT],
    photo_fields: dict[str, bool],
    max_upload_bytes: int,
    alone: str | None = None,
) -> tuple[BodyT, dict[str, list[Upload]]]:
    """Return the validated body and its photos by field, or in a photo's place what is wrong.

    ``photo_fields`` says of each photo field whether it takes several; ``alone`` names the one that
    may come by itself, as a body of ``image/*``. Raises ``ApiError`` for a body that is not of
    ``shape``.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        # By itself and not by request.body(), which would keep the bytes as long as the request.
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
        return await run_in_threadpool(_from_json, content, shape, photo_fields, max_upload_bytes)
    if media_type == "multipart/form-data":
        return await _from_multipart(request, shape, photo_fields, max_upload_bytes)
    if alone is None:
        raise ApiError(UNSUPPORTED_MEDIA, "send multipart/form-data or application/json")
    if media_type.startswith("image/") or media_type == "application/octet-stream":
        photos: dict[str, list[Upload]] = {field: [] for field in photo_fields}
        photos[alone] = [await _from_stream(request, max_upload_bytes)]
        return _validated(shape, {alone: ""}), photos
    raise ApiError(
        UNSUPPORTED_MEDIA, "send multipart/form-data, application/json, or the picture as image/*"
    )


def usable(upload: Upload) -> bytes:
    """Return the bytes of a photo on which all depends; raises the ``PhotoError`` in its place."""
    if isinstance(upload, PhotoError):
        raise upload
    return upload


def _validated(shape: type[BodyT], content: object) -> BodyT:
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise ApiError(INVALID_REQUEST, "; ".join(field_faults(error.errors())[:10])) from None


def _from_json(
    encoded: bytearray, shape: type[BodyT], photo_fields: dict[str, bool], limit: int
) -> tuple[BodyT, dict[str, list[Upload]]]:
    # Each value but the first has a comma before it or a bracket around it. A photo is one value
    # with one comma at most; a body of many tiny ones takes thirty times its bytes when parsed.
    if sum(encoded.count(mark) for mark in (b",", b"[", b"{")) > MAX_JSON_MARKS:
        raise ApiError(INVALID_REQUEST, "the body has too many values")
    try:
        content = json.loads(encoded)
    except (ValueError, RecursionError):
        raise ApiError(INVALID_REQUEST, "the body is not valid JSON") from None
    body = _validated(shape, content)
    photos: dict[str, list[Upload]] = {}
    for field, several in photo_fields.items():
        value = getattr(body, field)
        if value is None:
            photos[field] = []
            continue
        uploads = [_from_base64(text, limit) for text in (value if several else [value])]
        if not several and isinstance(uploads[0], UndecodablePhotoError):
            raise ApiError(INVALID_REQUEST, f"{field}: {uploads[0]}")
        photos[field] = uploads
    return body, photos


def _from_base64(text: str, limit: int) -> Upload:
    """Return the bytes of base64 in either alphabet, padded or not, broken into lines or not."""
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        digits = encoded.encode().translate(_OTHER_ALPHABET, b" \t\r\n").rstrip(b"=")
        if len(digits) * 3 // 4 > limit:
            return _too_many_bytes(len(digits) * 3 // 4, limit)
        content = base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        return UndecodablePhotoError("not valid base64")
    return content


async def _from_stream(request: Request, limit: int) -> Upload:
    body = received_body(request.scope)
    content = bytearray()
    async for chunk in request.stream():
        if body.byte_count <= limit:
            content += chunk
    if not body.byte_count:
        raise ApiError(INVALID_REQUEST, "the body is empty; send the picture")
    return bytes(content) if body.byte_count <= limit else _too_many_bytes(body.byte_count, limit)


async def _from_file(file: UploadFile, limit: int) -> Upload:
    if file.size is not None and file.size > limit:
        return _too_many_bytes(file.size, limit)
    return await file.read()


def _too_many_bytes(byte_count: int, limit: int) -> PhotoTooManyBytesError:
    return PhotoTooManyBytesError(f"the photo has {byte_count} bytes, a photo may have {limit}")


@asynccontextmanager
async def _form_of(request: Request) -> AsyncIterator[FormData]:
    """Give the parsed form; raises ``ApiError`` for one that is malformed or cut.

    Raises ``TemporaryStorageError`` where its files find no room.
    """
    parser = MultiPartParser(request.headers, _whole(request), max_files=64, max_fields=64)
    try:
        form = await parser.parse()
        try:
            yield form
        finally:
            await form.close()
    except _CutForm as error:
        raise ApiError(INVALID_REQUEST, error.message) from None
    except MultiPartException as error:
        raise HTTPException(400, error.message) from None
    except OSError as error:
        raise TemporaryStorageError(
            f"the upload cannot be held while it is read: {error.strerror or 'no folder'}"
        ) from error


async def _from_multipart(
    request: Request, shape: type[BodyT], photo_fields: dict[str, bool], limit: int
) -> tuple[BodyT, dict[str, list[Upload]]]:
    photos: dict[str, list[Upload]] = {field: [] for field in photo_fields}
    content: dict[str, object] = {}
    async with _form_of(request) as form:
        for given, value in form.multi_items():
            name = _field_name(given, photo_fields)
            if isinstance(value, UploadFile):
                if name not in photos:
                    raise ApiError(INVALID_REQUEST, f"{name}: no file is expected here")
                photos[name].append(await _from_file(value, limit))
            elif name in photos:
                raise ApiError(INVALID_REQUEST, f"{name}: send the photo as a file")
            elif value == "":
                continue  # an empty field of a form says nothing
            elif name in content:
                raise ApiError(INVALID_REQUEST, f"{name}: given twice")
            else:
                content[name] = value
    for field, several in photo_fields.items():
        # The shape checks presence and number; the bytes themselves travel beside it.
        if several:
            if photos[field] or shape.model_fields[field].is_required():
                content[field] = [""] * len(photos[field])
        elif len(photos[field]) == 1:
            content[field] = ""
        elif photos[field]:
            raise ApiError(INVALID_REQUEST, f"{field}: one photo is expected")
    return _validated(shape, content), photos


class _CutForm(MultiPartException):
    """A form without its closing boundary."""


async def _whole(request: Request) -> AsyncGenerator[bytes, None]:
    """Give the chunks of a form; raises ``_CutForm`` at the end of one that is not whole.

    By itself the parser leaves out the part that was cut: a photo would be missing without a word.
    """
    tail = b""
    async for chunk in request.stream():
        tail = (tail + chunk[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        yield chunk
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary", b"")
    if b"--" + boundary + b"--" not in tail:
        raise _CutForm("the form ends before its last part is whole; send all of it again")


def _field_name(given: str, photo_fields: dict[str, bool]) -> str:
    """Return the field that a form's name means: a list of photos may be marked as one."""
    name = _LISTED.sub("", given)
    return name if photo_fields.get(name) else given


def body_docs(
    shape: type[BaseModel], photo_fields: dict[str, bool], alone: str | None = None
) -> dict[str, object]:
    """Return the OpenAPI ``requestBody`` for every kind of body that ``read_body`` takes."""
    json_schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
    form = json.loads(json.dumps(json_schema))
    for field, several in photo_fields.items():
        binary: dict[str, object] = {"type": "string", "format": "binary"}
        max_items = _max_items(json_schema["properties"][field])
        listed = {
            "type": "array",
            "items": binary,
            "minItems": 1,
            "maxItems": max_items,
            "description": f"One field for each file; `{field}[]` is taken as well.",
        }
        form["properties"][field] = listed if several else binary
    content: dict[str, object] = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": json_schema},
    }
    if alone is not None:
        picture = {
            "type": "string",
            "format": "binary",
            "description": f"The picture itself, as `{alone}` and nothing beside it; "
            "`application/octet-stream` is taken as well.",
        }
        content["image/*"] = {"schema": picture}
    return {"requestBody": {"required": True, "content": content}}


def _max_items(schema: dict[str, object]) -> object:
    """Return the ``maxItems`` of a list that may also be null; None for no list."""
    choices = schema.get("anyOf", [schema])
    found = [choice.get("maxItems") for choice in choices] if isinstance(choices, list) else []
    return next((max_items for max_items in found if max_items is not None), None)
