"""Orders in the console: the list, the page of one order, and the dashboard."""

from django.contrib import admin

from ordermgmt.console.scoping import TenantAdmin
from orders.admin.bulk import BulkActions
from orders.admin.jobs import BulkJobAdmin
from orders.admin.order_list import OrderList
from orders.admin.order_page import OrderPage
from orders.models import Order

__all__ = ["BulkJobAdmin", "OrderAdmin"]


@admin.register(Order)
class OrderAdmin(OrderPage, BulkActions, OrderList, TenantAdmin):
    """The pages of customer care: the list, one order, and bulk actions."""

    actions = (*BulkActions.bulk_actions, *OrderList.actions)
