"""Tenants with their clients, locations, service levels and settings.

Read them from anywhere, but write them only through `configuration.services`.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from oauth2_provider.models import AbstractApplication

SLUG = r"^[a-z0-9-]{1,63}$"


def _version() -> "models.PositiveIntegerField[int, int]":
    return models.PositiveIntegerField(db_default=1, help_text="Grows by one with every change.")


class Tenant(models.Model):
    """One retailer. Every row of business data belongs to exactly one tenant."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.CharField(
        max_length=63, help_text="What the tenant headers say: a-z, 0-9 and hyphens."
    )
    name = models.CharField(max_length=255, help_text="What people call it.")
    is_active = models.BooleanField(
        default=True, help_text="A suspended tenant's tokens are refused within a second."
    )
    shop = models.CharField(
        max_length=128,
        default="storefront-catalog-en",
        help_text="The catalog of an order that names none.",
    )
    shop_locale = models.CharField(
        max_length=128, default="en-US", help_text="The locale of an order that names none."
    )
    uses_pii_tokens = models.BooleanField(
        default=False, help_text="Personal data leaves the order APIs as tokens."
    )
    checks_payment_totals = models.BooleanField(
        default=True, help_text="Payments of an order must add up to its total."
    )
    lenient_price_details = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Orders whose tax lines or discounts contradict their amounts are stored and "
        "marked, not refused.",
    )
    allows_http_webhooks = models.BooleanField(
        default=False, help_text="Webhook URLs may be plain http."
    )
    pseudonym_key = models.TextField(
        editable=False, help_text="Makes the tokens of personal data; sealed, and never changes."
    )
    version = _version()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="tenant_slug_is_its_own"),
            models.CheckConstraint(
                condition=Q(slug__regex=SLUG), name="tenant_slug_fits_the_tenant_headers"
            ),
            models.CheckConstraint(
                condition=~Q(pseudonym_key=""), name="tenant_has_a_pseudonym_key"
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Client(AbstractApplication):
    """An OAuth client of one tenant, which is `request.user` in every API view.

    The secret is stored hashed and shown once, when it is created or rotated.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    scopes = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        help_text="The most its tokens may be allowed: see ordermgmt/http/scopes.py.",
    )
    is_active = models.BooleanField(
        db_default=True, help_text="One that is switched off gets no tokens."
    )
    token_epoch = models.PositiveIntegerField(
        db_default=0,
        editable=False,
        help_text="Grows when the client's tokens are revoked; older refresh tokens are refused.",
    )
    version = _version()

    objects: ClassVar[models.Manager["Client"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="client_name_is_its_own_within_a_tenant"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="client_has_a_name"),
        ]

    # Django and DRF read these of the user of a request.
    is_authenticated = True
    is_anonymous = False

    @property
    def actor(self) -> str:
        """Return the name of the client in timelines and histories."""
        return f"client:{self.name}"


class RefreshFamily(models.Model):
    """The refresh tokens that follow from one sign-in of a client, each used once.

    The row is created at the first use and kept until every token of the family has expired.
    """

    id = models.UUIDField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField(
        default=0, help_text="Of the newest token; the first of a family has 0."
    )
    rotated_at = models.DateTimeField(help_text="When the newest token was issued.")
    is_ended = models.BooleanField(
        default=False, help_text="A used token was sent again, so somebody may have a copy."
    )

    class Meta:
        indexes = [models.Index(fields=["rotated_at"], name="refresh_family_by_age")]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.pk}"


class Membership(models.Model):
    """The tenant that a staff account works for. Only operators have no membership."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="membership")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="memberships")
    needs_second_factor = models.BooleanField(
        default=True, help_text="Only the demo's people get in without: docs/adr says why."
    )

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.username

    @property
    def username(self) -> str:
        """Return the name that the account signs in with."""
        return self.user.get_username()


class LocationType(models.TextChoices):
    STORE = "store", "Store"
    DC = "dc", "Distribution center"


class Location(models.Model):
    """A store or distribution center that fulfills orders."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="locations")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(max_length=128, help_text="What orders and the WMS call it.")
    name = models.CharField(max_length=255, help_text="What people call it.")
    type = models.CharField(max_length=5, choices=LocationType)
    country_codes = ArrayField(
        models.CharField(max_length=2),
        default=list,
        blank=True,
        help_text="Destination countries it serves (ISO 3166 alpha-2); none means all.",
    )
    priority = models.IntegerField(default=100, help_text="Lower is asked first.")
    is_active = models.BooleanField(default=True, help_text="Only active locations get orders.")
    address = models.JSONField(default=dict, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="Where it stands, ISO 3166.")
    zip_code = models.CharField(max_length=32, blank=True)
    version = _version()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "code"], name="location_code_is_its_own_within_a_tenant"
            ),
            models.CheckConstraint(
                condition=Q(type__in=LocationType.values), name="location_type_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def serves(self, country: str) -> bool:
        return not self.country_codes or country in self.country_codes


class ShippingType(models.TextChoices):
    TRADITIONAL_CARRIER = "traditional_carrier", "Traditional carrier"
    SAME_DAY_DELIVERY = "same_day_delivery", "Same day delivery"
    IN_STORE_PICK_UP = "in_store_pick_up", "In store pick up"
    IN_STORE_HANDOVER = "in_store_handover", "In store handover"


class ServiceLevel(models.Model):
    """A shipping method that a tenant offers, with the grace period of its orders."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="service_levels")
    identifier = models.CharField(max_length=64, help_text="What shipments say.")
    name = models.CharField(max_length=255, help_text="What people call it.")
    remorse_period = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Grace period in seconds; empty means the tenant's on_hold_timer_duration.",
    )
    shipping_type = models.CharField(
        max_length=32, choices=ShippingType, default=ShippingType.TRADITIONAL_CARRIER
    )
    version = _version()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "identifier"],
                name="service_level_identifier_is_its_own_within_a_tenant",
            ),
            models.CheckConstraint(
                condition=Q(shipping_type__in=ShippingType.values),
                name="service_level_shipping_type_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier


class Setting(models.Model):
    """The value of one key of `configuration.keys` for a tenant, with its secrets encrypted."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="settings")
    key = models.CharField(max_length=64)
    value = models.JSONField()
    version = models.PositiveIntegerField(default=1, help_text="Grows by one with every change.")
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=300, help_text="The actor: `client:…`, `cli:…`.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="setting_is_set_once_per_key"),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="setting_version_counts_from_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}:{self.key}"


class PersonalToken(models.Model):
    """The encrypted value behind a token of personal data that no order holds."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    token = models.CharField(max_length=59)
    value = models.TextField(help_text="Sealed for this tenant and token.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "token"], name="personal_token_stands_for_one_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.token}"


class PolicyState(models.Model):
    """The revision of a tenant's settings, locations and service levels.

    Triggers (migration 0008) set a new random `name` with every change, so a cached policy is
    valid as long as its revision equals this name.
    """

    tenant = models.OneToOneField(Tenant, models.PROTECT, primary_key=True, related_name="+")
    name = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.name}"


class SettingChange(models.Model):
    """One change of a setting, with masked secrets. The database refuses updates and deletes."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="setting_changes")
    key = models.CharField(max_length=64)
    version = models.PositiveIntegerField(help_text="The version this change made.")
    old_value = models.JSONField(null=True, help_text="Empty when it was not set before.")
    new_value = models.JSONField()
    author = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key", "version"], name="setting_change_makes_one_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}:{self.key} v{self.version}"
