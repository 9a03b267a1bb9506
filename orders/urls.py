"""Where the order routes are."""

from django.urls import path

from orders.api.capture import CaptureView
from orders.api.reading import HistoryView, OrderView

urlpatterns = [
    path("order-management/orders", CaptureView.as_view({"post": "create"})),
    path("v0/orders", HistoryView.as_view({"get": "list"})),
    # An order's id is the caller's and may hold anything, a slash too: what is special comes first.
    path("v0/orders/<path:id>", OrderView.as_view({"get": "retrieve"})),
]
