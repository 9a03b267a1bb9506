"""Models of an order, with the database's constraints.

Any app may read them; only `orders.services` writes them. A child row has a tenant column, and a
composite foreign key (see the first migration) ensures that it is the order's tenant.
"""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from ordermgmt.database.fields import AmountField, SnapshotField
from orders.lifecycle import HoldKind, ItemStatus, OrderStatus


class ChannelType(models.TextChoices):
    WEB = "web", "Web shop"
    MOBILE = "mobile", "Mobile app"
    STORE = "store", "Store"


class PriceMethod(models.TextChoices):
    TAX_EXCLUDED = "tax_excluded", "Prices without tax"
    TAX_INCLUDED = "tax_included", "Prices with tax"


def _tenant() -> Any:
    return models.ForeignKey(
        "configuration.Tenant",
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )


def _order(related_name: str) -> Any:
    return models.ForeignKey(
        "Order",
        models.CASCADE,
        related_name=related_name,
        db_constraint=False,  # the first migration adds a composite key instead
        db_index=False,
    )


def _is_one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=name)


class Order(models.Model):
    """One purchase of a customer."""

    # The member of `details` with the external id, if the caller did not send it in NFC.
    EXTERNAL_ID_AS_SENT: ClassVar = "external_id"

    tenant = models.ForeignKey(
        "configuration.Tenant", models.PROTECT, related_name="orders", db_index=False
    )
    uuid = models.UUIDField(default=uuid.uuid4, help_text="The internal id.")
    number = models.CharField(max_length=64, help_text="Drawn from the tenant's sequence.")
    external_id = models.CharField(
        max_length=64,
        help_text="What the caller calls it, in NFC; or the number.",
    )
    status = models.CharField(max_length=24, choices=OrderStatus, help_text="Derived from items.")
    version = models.PositiveIntegerField(default=1, help_text="Counts the rows of the timeline.")

    channel_type = models.CharField(max_length=8, choices=ChannelType)
    channel_name = models.CharField(max_length=64, blank=True, help_text="The order's source.")
    shop = models.CharField(max_length=128, help_text="The shop, or catalog.")
    shop_locale = models.CharField(max_length=128, help_text="RFC 5646.")
    store_id = models.CharField(max_length=256, blank=True, help_text="Where it was placed.")
    associate_id = models.CharField(max_length=256, blank=True, help_text="Who sold it.")
    customer_id = models.CharField(max_length=256, blank=True)
    customer_key = models.UUIDField(null=True, help_text="Finds a customer's orders; a keyed hash.")
    customer_email = models.CharField(max_length=254, blank=True)

    placed_at = models.DateTimeField(help_text="When the customer bought, by the channel's clock.")
    captured_at = models.DateTimeField(db_default=Now(), help_text="By the database's clock.")
    fulfillment_type = models.CharField(max_length=24)

    item_count = models.PositiveIntegerField(default=0, help_text="Units; many make it big.")
    currency = models.CharField(max_length=3, help_text="ISO 4217.")
    price_method = models.CharField(max_length=12, choices=PriceMethod)
    net = AmountField(help_text="Items, after discounts, before tax.")
    tax = AmountField(help_text="Items.")
    gross = AmountField(help_text="Items, with tax.")
    discount = AmountField(help_text="Taken off the items.")
    shipping = AmountField(help_text="With tax, after discounts.")
    gift_wrapping = AmountField(help_text="With tax.")
    total = AmountField(help_text="What the customer pays.")

    details = SnapshotField(
        help_text="As captured, in our words: customer, addresses, payments, attributes."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "uuid"], name="order_uuid_is_unique_in_its_tenant"
            ),
            models.UniqueConstraint(
                fields=["tenant", "external_id"], name="order_external_id_is_unique_in_its_tenant"
            ),
            models.UniqueConstraint(
                fields=["tenant", "number"], name="order_number_is_never_given_twice"
            ),
            _is_one_of("status", OrderStatus, "order_status_is_known"),
            _is_one_of("channel_type", ChannelType, "order_channel_type_is_known"),
            _is_one_of("price_method", PriceMethod, "order_price_method_is_known"),
            models.CheckConstraint(
                condition=Q(gross=F("net") + F("tax")), name="order_gross_is_net_plus_tax"
            ),
            models.CheckConstraint(
                condition=Q(total=F("gross") + F("shipping") + F("gift_wrapping")),
                name="order_total_is_items_shipping_and_wrapping",
            ),
            models.CheckConstraint(
                condition=Q(net__gte=0, tax__gte=0, discount__gte=0, shipping__gte=0)
                & Q(gift_wrapping__gte=0),
                name="order_amounts_are_not_negative",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "customer_key", "-placed_at", "-id"],
                name="order_by_customer",
                condition=Q(customer_key__isnull=False),
            ),
            models.Index(
                fields=["tenant", "item_count"],
                name="order_that_waits_by_size",
                condition=Q(status=OrderStatus.ON_HOLD),
            ),
            models.Index(fields=["tenant", "-placed_at", "-id"], name="order_by_time"),
            models.Index(
                fields=["tenant", "status", "-placed_at", "-id"],
                name="order_by_status_and_time",
            ),
            models.Index(
                F("tenant"),
                Lower("customer_email"),
                F("id").desc(),
                name="order_by_email",
                condition=~Q(customer_email=""),
            ),
        ]
        permissions: ClassVar = [
            ("hold_order", "Can hold an order"),
            ("release_order", "Can release an order's holds"),
            ("extend_order", "Can extend an order's grace period"),
            ("cancel_order", "Can cancel an order or items of it"),
            ("note_order", "Can write notes on an order"),
            ("approve_order", "Can approve a big order"),
            ("export_order", "Can export orders"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def external_id_as_sent(self) -> str:
        """Return the external id as first sent by the caller, or the number."""
        external_id: str = self.details.get(self.EXTERNAL_ID_AS_SENT, self.external_id)
        return external_id


class Shipment(models.Model):
    """A group of items with a service level, a price and a routing strategy."""

    tenant = _tenant()
    order = _order("shipments")
    uuid = models.UUIDField(default=uuid.uuid4)
    position = models.PositiveIntegerField(help_text="As captured, from 0.")
    service_level = models.CharField(max_length=64, blank=True)
    shipping_method = models.CharField(max_length=24, help_text="What the service level ships by.")
    strategy = models.CharField(max_length=12, help_text="default, prerouted or external.")
    location_code = models.CharField(
        max_length=256, blank=True, help_text="Asked for by the caller."
    )
    base = AmountField(help_text="The price asked, before discounts.")
    net = AmountField()
    tax = AmountField()
    gross = AmountField()
    discount = AmountField()
    details = SnapshotField(help_text="Tax lines, discounts, offer token.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order", "position"], name="shipment_has_its_place_in_the_order"
            ),
            models.CheckConstraint(
                condition=Q(gross=F("net") + F("tax")) & Q(net__gte=0, tax__gte=0, discount__gte=0),
                name="shipment_gross_is_net_plus_tax",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_level or 'shipment'} #{self.position + 1}"


class Item(models.Model):
    """One unit of one product, with a status of its own."""

    tenant = _tenant()
    order = _order("items")
    shipment = models.ForeignKey(
        Shipment, models.CASCADE, related_name="items", null=True, db_index=False
    )
    uuid = models.UUIDField(default=uuid.uuid4, help_text="The internal id.")
    position = models.PositiveIntegerField(help_text="As captured, from 0.")
    external_item_id = models.CharField(max_length=64, blank=True)
    product_id = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=ItemStatus, default=ItemStatus.PENDING)
    is_in_store = models.BooleanField(default=False, help_text="Handed over in the store.")
    is_preorder = models.BooleanField(default=False)
    location_code = models.CharField(max_length=256, blank=True, help_text="Who fulfills it.")
    location_type = models.CharField(max_length=8, blank=True, help_text="store or dc.")
    conflict_reason = models.CharField(max_length=64, blank=True)
    request_version = models.PositiveIntegerField(
        default=0, help_text="The timeline's entry that gave it to its location."
    )
    is_packing = models.BooleanField(default=False, help_text="The location is packing it.")
    tracking_code = models.CharField(max_length=256, blank=True)
    carrier = models.CharField(max_length=64, blank=True)
    confirmed_at = models.DateTimeField(
        null=True, help_text="When Akinon's capture call confirmed it, by the database's clock."
    )
    serial_number = models.CharField(max_length=256, blank=True)
    epc = SnapshotField(default=dict, help_text="Electronic product code; empty when unknown.")
    base = AmountField(help_text="Before discounts.")
    net = AmountField(help_text="After discounts, before tax.")
    tax = AmountField()
    gross = AmountField()
    discount = AmountField()
    details = SnapshotField(help_text="As captured: tax lines, discounts, product attributes.")
    attributes = SnapshotField(default=list, help_text="Extended attributes, as they are now.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "uuid"], name="item_belongs_to_one_order_forever"
            ),
            models.UniqueConstraint(
                fields=["tenant", "order", "position"], name="item_has_its_place_in_the_order"
            ),
            _is_one_of("status", ItemStatus, "item_status_is_known"),
            models.CheckConstraint(
                condition=Q(gross=F("net") + F("tax")) & Q(net__gte=0, tax__gte=0),
                name="item_gross_is_net_plus_tax",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("base")),
                name="item_discount_is_at_most_its_price",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "product_id", "-order"], name="item_by_product"),
            models.Index(
                fields=["tenant", "serial_number"],
                name="item_by_serial_number",
                condition=~Q(serial_number=""),
            ),
            # Not by status, because every routing changes it and would then update every index.
            models.Index(
                fields=["tenant", "order"],
                name="item_in_conflict",
                condition=~Q(conflict_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} ({self.status})"


class Hold(models.Model):
    """A reason not to route an order yet. An order may have one active hold of each kind."""

    tenant = _tenant()
    order = _order("holds")
    uuid = models.UUIDField(db_default=RandomUUID())
    kind = models.CharField(max_length=12, choices=HoldKind)
    reason = models.CharField(max_length=4096)
    placed_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, help_text="When a grace period ends.")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order", "kind"],
                condition=Q(released_at__isnull=True),
                name="order_is_held_once_for_each_kind",
            ),
            _is_one_of("kind", HoldKind, "hold_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind=HoldKind.GRACE, due_at__isnull=False)
                | (~Q(kind=HoldKind.GRACE) & Q(due_at__isnull=True)),
                name="only_a_grace_hold_has_a_due_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="hold_by_due_time",
                condition=Q(released_at__isnull=True, due_at__isnull=False),
            ),
            models.Index(fields=["tenant", "order"], name="hold_of_an_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} hold"


class TimelineEntry(models.Model):
    """A recorded change of an order, with time, actor and reason. Never changed or deleted."""

    tenant = _tenant()
    order = _order("timeline")
    version = models.PositiveIntegerField(help_text="1, 2, 3 … without a gap.")
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=300, help_text="client:…, staff:… or task:…")
    verb = models.CharField(max_length=40, help_text="What happened.")
    facts = SnapshotField(default=dict, help_text="Why: the rule, its inputs, what it decided.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order", "version"], name="timeline_has_one_entry_a_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}. {self.verb} by {self.actor}"


class OrderNote(models.Model):
    """A note on an order or on one of its items."""

    tenant = _tenant()
    order = _order("notes")
    item = models.ForeignKey(Item, models.CASCADE, related_name="notes", null=True, db_index=False)
    uuid = models.UUIDField(default=uuid.uuid4)
    text = models.CharField(max_length=4000)
    source = models.CharField(max_length=256, help_text="Who wrote it, as the caller says.")
    source_type = models.CharField(max_length=256, blank=True, help_text="user, system …")
    tags = ArrayField(models.CharField(max_length=128), null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order", "uuid"], name="note_is_known_within_its_order"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="note_says_something"),
        ]

    def __str__(self) -> str:
        return f"note by {self.source}"


class CustomerTally(models.Model):
    """The number of a customer's orders, so that a history page need not count them.

    A customer has one row for each `shard`, so that concurrent captures do not wait for each other.
    The number of orders is the sum of the rows.
    """

    SHARDS: ClassVar = 16

    tenant = _tenant()
    customer_key = models.UUIDField()
    shard = models.PositiveSmallIntegerField()
    orders = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "customer_key", "shard"], name="tally_has_one_row_a_shard"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.orders} orders"


class SavedView(models.Model):
    """A named search of the console's order list."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="order_views", db_index=False
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, help_text="As the list's address has it.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="view_has_a_name_of_its_owners"),
            models.CheckConstraint(condition=~Q(name=""), name="view_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class BulkVerb(models.TextChoices):
    HOLD = "hold", "Put on hold"
    RELEASE = "release", "Release from support"
    APPROVE = "approve", "Approve big orders"
    CANCEL = "cancel", "Cancel"


class BulkOutcome(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    STOPPED = "stopped", "Left as it was"


class BulkJob(models.Model):
    """One action on many orders, which a worker performs one after the other."""

    tenant = models.ForeignKey(
        "configuration.Tenant", models.PROTECT, related_name="+", db_index=False
    )
    verb = models.CharField(max_length=8, choices=BulkVerb)
    reason = models.CharField(max_length=4096)
    note = models.CharField(max_length=4096, blank=True, help_text="Of a cancellation.")
    actor = models.CharField(max_length=300, help_text="In whose name: staff:…")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, help_text="When nothing waited any longer.")
    stopped_by = models.CharField(max_length=300, blank=True, help_text="Who let the rest be.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "id"], name="bulk_job_is_known_within_its_tenant"
            ),
            _is_one_of("verb", BulkVerb, "bulk_verb_is_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="bulk_job_has_a_reason"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                name="bulk_job_unfinished",
                condition=Q(finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.get_verb_display()


class BulkJobOrder(models.Model):
    """One order of a bulk job, with its outcome."""

    tenant = _tenant()
    job = models.ForeignKey(
        BulkJob, models.CASCADE, related_name="orders", db_constraint=False, db_index=False
    )
    order = _order("+")
    position = models.PositiveIntegerField(help_text="As chosen, from 0.")
    outcome = models.CharField(max_length=8, choices=BulkOutcome, default=BulkOutcome.WAITING)
    message = models.CharField(max_length=300, blank=True, help_text="What happened, or why not.")
    at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "position"], name="bulk_order_has_its_place"),
            models.UniqueConstraint(fields=["job", "order"], name="bulk_order_is_chosen_once"),
            _is_one_of("outcome", BulkOutcome, "bulk_outcome_is_known"),
            models.CheckConstraint(
                condition=Q(outcome=BulkOutcome.WAITING, at__isnull=True)
                | (~Q(outcome=BulkOutcome.WAITING) & Q(at__isnull=False)),
                name="bulk_order_has_a_time_once_it_is_over",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["job", "position"],
                name="bulk_order_waiting",
                condition=Q(outcome=BulkOutcome.WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.message}"
