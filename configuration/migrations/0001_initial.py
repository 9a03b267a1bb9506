"""Tenants, clients, locations, service levels, and what each tenant has set."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import oauth2_provider.generators
import oauth2_provider.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    # The token tables point at our swapped application, so it must exist first.
    run_before = [("oauth2_provider", "0001_initial")]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Tenant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "slug",
                    models.CharField(
                        help_text="What the tenant headers say: a-z, 0-9 and hyphens.",
                        max_length=63,
                    ),
                ),
                ("name", models.CharField(help_text="What people call it.", max_length=255)),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="A suspended tenant's tokens are refused within a second.",
                    ),
                ),
                (
                    "shop",
                    models.CharField(
                        default="storefront-catalog-en",
                        help_text="The catalog of an order that names none.",
                        max_length=128,
                    ),
                ),
                (
                    "shop_locale",
                    models.CharField(
                        default="en-US",
                        help_text="The locale of an order that names none.",
                        max_length=128,
                    ),
                ),
                (
                    "uses_pii_tokens",
                    models.BooleanField(
                        default=False, help_text="Personal data leaves the order APIs as tokens."
                    ),
                ),
                (
                    "checks_payment_totals",
                    models.BooleanField(
                        default=True, help_text="Payments of an order must add up to its total."
                    ),
                ),
                (
                    "allows_http_webhooks",
                    models.BooleanField(default=False, help_text="Webhook URLs may be plain http."),
                ),
                (
                    "pseudonym_key",
                    models.TextField(
                        editable=False,
                        help_text="Makes the tokens of personal data; sealed, and never changes.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("slug",), name="tenant_slug_is_its_own"),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[a-z0-9-]{1,63}$")),
                        name="tenant_slug_fits_the_tenant_headers",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pseudonym_key", ""), _negated=True),
                        name="tenant_has_a_pseudonym_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SettingChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("version", models.PositiveIntegerField(help_text="The version this change made.")),
                (
                    "old_value",
                    models.JSONField(help_text="Empty when it was not set before.", null=True),
                ),
                ("new_value", models.JSONField()),
                ("author", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="setting_changes",
                        to="configuration.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "key", "version"), name="setting_change_makes_one_version"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Setting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("value", models.JSONField()),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="Grows by one with every change."
                    ),
                ),
                ("updated_at", models.DateTimeField()),
                (
                    "updated_by",
                    models.CharField(help_text="The actor: `client:…`, `cli:…`.", max_length=300),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settings",
                        to="configuration.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "key"), name="setting_is_set_once_per_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)),
                        name="setting_version_counts_from_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceLevel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identifier", models.CharField(help_text="What shipments say.", max_length=64)),
                ("name", models.CharField(help_text="What people call it.", max_length=255)),
                (
                    "remorse_period",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Grace period in seconds; empty means the tenant's on_hold_timer_duration.",
                        null=True,
                    ),
                ),
                (
                    "shipping_type",
                    models.CharField(
                        choices=[
                            ("traditional_carrier", "Traditional carrier"),
                            ("same_day_delivery", "Same day delivery"),
                            ("in_store_pick_up", "In store pick up"),
                            ("in_store_handover", "In store handover"),
                        ],
                        default="traditional_carrier",
                        max_length=32,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="service_levels",
                        to="configuration.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "identifier"),
                        name="service_level_identifier_is_its_own_within_a_tenant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "shipping_type__in",
                                [
                                    "traditional_carrier",
                                    "same_day_delivery",
                                    "in_store_pick_up",
                                    "in_store_handover",
                                ],
                            )
                        ),
                        name="service_level_shipping_type_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "code",
                    models.CharField(help_text="What orders and the WMS call it.", max_length=128),
                ),
                ("name", models.CharField(help_text="What people call it.", max_length=255)),
                (
                    "type",
                    models.CharField(
                        choices=[("store", "Store"), ("dc", "Distribution center")], max_length=5
                    ),
                ),
                (
                    "country_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2),
                        blank=True,
                        default=list,
                        help_text="Destination countries it serves (ISO 3166 alpha-2); none means all.",
                        size=None,
                    ),
                ),
                ("priority", models.IntegerField(default=100, help_text="Lower is asked first.")),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="Only active locations get orders."
                    ),
                ),
                ("address", models.JSONField(blank=True, default=dict)),
                (
                    "country",
                    models.CharField(
                        blank=True, help_text="Where it stands, ISO 3166.", max_length=2
                    ),
                ),
                ("zip_code", models.CharField(blank=True, max_length=32)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="locations",
                        to="configuration.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "code"), name="location_code_is_its_own_within_a_tenant"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["store", "dc"])),
                        name="location_type_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "client_id",
                    models.CharField(
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_id,
                        max_length=255,
                        unique=True,
                        verbose_name="client ID",
                    ),
                ),
                (
                    "redirect_uris",
                    models.TextField(
                        blank=True,
                        help_text="Allowed URIs list, space separated",
                        verbose_name="redirect URIs",
                    ),
                ),
                (
                    "post_logout_redirect_uris",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed Post Logout URIs list, space separated",
                        verbose_name="post logout redirect URIs",
                    ),
                ),
                (
                    "client_type",
                    models.CharField(
                        choices=[("confidential", "Confidential"), ("public", "Public")],
                        max_length=32,
                        verbose_name="client type",
                    ),
                ),
                (
                    "authorization_grant_type",
                    models.CharField(
                        choices=[
                            ("authorization-code", "Authorization code"),
                            ("urn:ietf:params:oauth:grant-type:device_code", "Device Code"),
                            ("implicit", "Implicit"),
                            ("password", "Resource owner password-based"),
                            ("client-credentials", "Client credentials"),
                            ("openid-hybrid", "OpenID connect hybrid"),
                        ],
                        max_length=44,
                        verbose_name="authorization grant type",
                    ),
                ),
                (
                    "client_secret",
                    oauth2_provider.models.ClientSecretField(
                        blank=True,
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_secret,
                        help_text="Client secret for authentication",
                        max_length=255,
                        verbose_name="client secret",
                    ),
                ),
                (
                    "hash_client_secret",
                    models.BooleanField(default=True, verbose_name="hash client secret"),
                ),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name")),
                (
                    "skip_authorization",
                    models.BooleanField(default=False, verbose_name="skip authorization"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "algorithm",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No OIDC support"),
                            ("RS256", "RSA with SHA-2 256"),
                            ("HS256", "HMAC with SHA-2 256"),
                        ],
                        default="",
                        max_length=5,
                        verbose_name="algorithm",
                    ),
                ),
                (
                    "allowed_origins",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed origins list to enable CORS, space separated",
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "registration_source",
                    models.CharField(
                        choices=[
                            ("manual", "Manual"),
                            ("dcr", "Dynamic Client Registration"),
                            ("cimd", "Client ID Metadata Document"),
                        ],
                        default="manual",
                        help_text="How this application was registered (manual, DCR per RFC 7591, or CIMD)",
                        max_length=32,
                        verbose_name="registration source",
                    ),
                ),
                (
                    "cimd_expires_at",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="When the cached Client ID Metadata Document should be re-fetched",
                        null=True,
                        verbose_name="CIMD expires at",
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        help_text="The most its tokens may be allowed: see ordermgmt/http/scopes.py.",
                        size=None,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="configuration.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "name"), name="client_name_is_its_own_within_a_tenant"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="client_has_a_name"
                    ),
                ],
            },
        ),
    ]
