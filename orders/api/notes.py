"""Notes on orders and their items: docs/contract.md, Notes."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt import errors
from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import InstantText, InvalidBody, Uuid, Wire
from ordermgmt.values.timestamps import timestamp
from orders.models import OrderNote
from orders.services import notes
from orders.services.reading.queries import is_uuid

Text256 = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class BadId(errors.Invalid):
    code = "bad_request"


class BadNote(errors.Invalid):
    code = "bad_request"


class NoteIn(Wire):
    text: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    source: Text256
    """The author: a user's id."""
    source_type: Text256 = "user"
    tags: Annotated[list[Tag], Field(max_length=128)] | None
    """Required; may be null."""


class NoteOut(Wire):
    id: Uuid
    order_id: Uuid
    item_id: Uuid | None = None
    """Only for a note on an item."""
    text: str
    source: str
    source_type: str
    tags: list[str]
    created_at: InstantText
    updated_at: InstantText


class NoteList(Wire):
    notes: list[NoteOut]
    """From newest to oldest. The notes of an order include those on its items."""


SAMPLE: Final = {
    "text": "Customer called about the delivery date.",
    "source": "Author 117",
    "source_type": "user",
    "tags": ["associate note"],
}
MISSING: Final = "No note exists for this order ID and note ID"
BAD_ORDER: Final = "Invalid order ID in request url."
ORDER: Final = OpenApiParameter("order_uuid", UUID, location="path")
ITEM: Final = OpenApiParameter("item_uuid", UUID, location="path")
NOTE: Final = OpenApiParameter("note", UUID, location="path")
_REFUSED: Final = problems(examples={400: {"bad_request": BAD_ORDER}, 404: {"not_found": MISSING}})
_SENT: Final = [OpenApiExample("A note", value=SAMPLE, request_only=True)]
_LISTED: Final[dict[str, Any]] = {"tags": ["notes"], "responses": {200: NoteList, **_REFUSED}}
_WRITTEN: Final[dict[str, Any]] = {
    "tags": ["notes"],
    "request": NoteIn,
    "responses": {200: NoteOut, **_REFUSED},
    "examples": _SENT,
}
_DELETED: Final[dict[str, Any]] = {"tags": ["notes"], "responses": {200: None, **_REFUSED}}


class NotesView(ApiViewSet):
    required_scopes = {"GET": ["orders:read"], "POST": ["orders:write"]}

    @extend_schema(
        operation_id="list_notes", summary="List an order's notes", parameters=[ORDER], **_LISTED
    )
    def list(self, request: Request, **path: str) -> Response:
        """Return the notes of the order and of its items, from newest to oldest."""
        matches = notes.notes_for_order(tenant=self.tenant, **_ids(path))
        return Response({"notes": [_note(note) for note in matches]})

    @extend_schema(
        operation_id="add_note", summary="Write a note on an order", parameters=[ORDER], **_WRITTEN
    )
    def create(self, request: Request, **path: str) -> Response:
        """Add a note. The timeline records it without its text, which must hold no card number."""
        ids = _ids(path)
        draft = _draft(request)
        note = notes.add(tenant=self.tenant, draft=draft, actor=self.client.actor, **ids)
        return Response(_note(note))


class NoteView(ApiViewSet):
    required_scopes = {"PATCH": ["orders:write"], "DELETE": ["orders:write"]}

    @extend_schema(
        operation_id="edit_note",
        summary="Replace an order's note",
        parameters=[ORDER, NOTE],
        **_WRITTEN,
    )
    def partial_update(self, request: Request, **path: str) -> Response:
        """Replace all members of the note."""
        ids = _ids(path)
        draft = _draft(request)
        note = notes.edit(tenant=self.tenant, draft=draft, actor=self.client.actor, **ids)
        return Response(_note(note))

    @extend_schema(
        operation_id="delete_note",
        summary="Delete an order's note",
        parameters=[ORDER, NOTE],
        **_DELETED,
    )
    def destroy(self, request: Request, **path: str) -> Response:
        """Delete the note for good. Deleting it again is a 404."""
        notes.delete(tenant=self.tenant, actor=self.client.actor, **_ids(path))
        return Response(status=HTTPStatus.OK)


class ItemNotesView(NotesView):
    @extend_schema(
        operation_id="list_item_notes",
        summary="List an item's notes",
        parameters=[ORDER, ITEM],
        **_LISTED,
    )
    def list(self, request: Request, **path: str) -> Response:
        """Return the item's notes, from newest to oldest."""
        return super().list(request, **path)

    @extend_schema(
        operation_id="add_item_note",
        summary="Write a note on an item",
        parameters=[ORDER, ITEM],
        **_WRITTEN,
    )
    def create(self, request: Request, **path: str) -> Response:
        """Add a note on an item. The notes of the order include it."""
        return super().create(request, **path)


class ItemNoteView(NoteView):
    @extend_schema(
        operation_id="edit_item_note",
        summary="Replace an item's note",
        parameters=[ORDER, ITEM, NOTE],
        **_WRITTEN,
    )
    def partial_update(self, request: Request, **path: str) -> Response:
        """Replace all members of the note."""
        return super().partial_update(request, **path)

    @extend_schema(
        operation_id="delete_item_note",
        summary="Delete an item's note",
        parameters=[ORDER, ITEM, NOTE],
        **_DELETED,
    )
    def destroy(self, request: Request, **path: str) -> Response:
        """Delete the note for good. Deleting it again is a 404."""
        return super().destroy(request, **path)


def _ids(path: dict[str, str]) -> dict[str, UUID]:
    """Return the ids in the address. Raise `BadId` with the documented text."""
    for name, value in path.items():
        if not is_uuid(value):
            raise BadId(f"Invalid {name.removesuffix('_uuid')} ID in request url.")
    return {name.removesuffix("_uuid"): UUID(value) for name, value in path.items()}


def _draft(request: Request) -> notes.Draft:
    try:
        note = NoteIn.of(request, operation="note")
    except InvalidBody as refusal:
        faults = _documented_texts(refusal)
        raise BadNote(faults[0], messages=faults) from None
    return notes.Draft(note.text, note.source, note.source_type, note.tags)


def _documented_texts(refusal: InvalidBody) -> list[str]:
    """Return the texts of the faults; a missing member has the text documented for notes."""
    return [
        f"{fault['pointer'][1:]} is a required field"
        if fault["message"].endswith("is a required property")
        else f"{fault['pointer'][1:].replace('/', '.')}: {fault['message']}"
        for fault in refusal.facts["errors"]
    ]


def _note(note: OrderNote) -> dict[str, Any]:
    members = {
        "id": note.uuid,
        "order_id": note.order.uuid,
        "item_id": note.item and note.item.uuid,
        "text": note.text,
        "source": note.source,
        "source_type": note.source_type,
        "tags": note.tags or [],
        "created_at": timestamp(note.created_at),
        "updated_at": timestamp(note.updated_at),
    }
    return {name: value for name, value in members.items() if value is not None}
