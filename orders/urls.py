"""URLs of the order routes."""

from django.urls import path

from orders.api.akinon import CaptureOrderView
from orders.api.cancellation import CancellationView, ItemCancellationView
from orders.api.capture import CaptureView
from orders.api.fulfillment import FulfillmentView
from orders.api.holds import GraceView, HoldsView, OrderStatusView, ReleaseView
from orders.api.notes import ItemNotesView, ItemNoteView, NotesView, NoteView
from orders.api.personal_data import DetokenizeView, TokenizeView
from orders.api.prices import PricesView
from orders.api.reading import HistoryView, OrderView
from orders.api.serials import SerialNumbersView
from orders.api.timeline import TimelineView

NOTES = "v0/d/orders/<str:order_uuid>"
ITEM_NOTES = f"{NOTES}/items/<str:item_uuid>"

# An external id may contain slashes, so the more specific routes come first.
urlpatterns = [
    path("order-management/pii/tokenize", TokenizeView.as_view({"post": "create"})),
    path("order-management/pii/detokenize", DetokenizeView.as_view({"post": "create"})),
    path("order-management/orders", CaptureView.as_view({"post": "create"})),
    path(
        "order-management/orders/<path:id>/holds/<str:hold>/release",
        ReleaseView.as_view({"post": "create"}),
    ),
    path(
        "order-management/orders/<path:id>/holds",
        HoldsView.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "order-management/orders/<path:id>/fulfillment",
        FulfillmentView.as_view({"post": "create"}),
    ),
    path("order-management/orders/<path:id>/timeline", TimelineView.as_view({"get": "list"})),
    path("order-management/orders/<path:id>", OrderStatusView.as_view({"patch": "partial_update"})),
    path(f"{NOTES}/notes", NotesView.as_view({"get": "list", "post": "create"})),
    path(
        f"{NOTES}/notes/<str:note>",
        NoteView.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path(f"{ITEM_NOTES}/notes", ItemNotesView.as_view({"get": "list", "post": "create"})),
    path(
        f"{ITEM_NOTES}/notes/<str:note>",
        ItemNoteView.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path("api/v1/capture-order", CaptureOrderView.as_view({"post": "create"})),
    path("api/v1/capture-order/", CaptureOrderView.as_view({"post": "create"})),
    path("v0/orders", HistoryView.as_view({"get": "list"})),
    path("v0/orders/<path:id>/_extend_grace_period", GraceView.as_view({"post": "create"})),
    path(
        "v0/orders/<path:order_uuid>/items/<str:item_uuid>/cancel",
        ItemCancellationView.as_view({"post": "create"}),
    ),
    path(
        "v0/orders/<path:id>/cancel",
        CancellationView.as_view({"get": "retrieve", "post": "create"}),
    ),
    path("v0/orders/<path:id>/prices", PricesView.as_view({"post": "create"})),
    path(
        "v0/orders/<path:uuid>/serial_numbers",
        SerialNumbersView.as_view({"patch": "partial_update"}),
    ),
    path("v0/orders/<path:id>", OrderView.as_view({"get": "retrieve"})),
]
