"""Settings, read from the environment or .env; .env.example explains each variable."""

from datetime import timedelta
from pathlib import Path

from ordermgmt.launcher import embedded
from ordermgmt.launcher.environment import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
embedded.read_env(env.str("ORDERMGMT_ENV_FILE", default=str(BASE_DIR / ".env")))

# Without DATABASE_URL, REDIS_URL and secrets of your own, those of the embedded servers are used:
# see ordermgmt/launcher/embedded.py.
DATA_DIR = embedded.data_dir(env.str("ORDERMGMT_DATA_DIR", default=""))

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or embedded.secrets(DATA_DIR)["SECRET_KEY"]
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# "id:base64 of 32 bytes", newest first: the first encrypts, all decrypt.
ENCRYPTION_KEYS = (
    env.list("ENCRYPTION_KEYS", default=[]) or embedded.secrets(DATA_DIR)["ENCRYPTION_KEYS"]
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "ordermgmt",  # first: its static files stand before unfold's
    "unfold.apps.BasicAppConfig",  # the other would put a site of its own in place of ours
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "ordermgmt.console.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "axes",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "configuration",
    "webhooks",
    "orders",
]

# PostgreSQL with persistent connections, and timeouts that bound every answer to seconds.
# A worker process allows its statements more time: DATABASE_STATEMENT_TIMEOUT.
DATABASES = {
    "default": env.db_url_config(
        env.str("DATABASE_URL", default="") or embedded.database_url(DATA_DIR)
    )
}
DATABASES["default"] |= {
    "ENGINE": "ordermgmt.database",
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
}
DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "options": (
        "-c jit=off"  # the planner overestimates capture's statement
        f" -c statement_timeout={env.int('DATABASE_STATEMENT_TIMEOUT', default=5000)}"
        f" -c lock_timeout={env.int('DATABASE_LOCK_TIMEOUT', default=2000)}"
        f" -c idle_in_transaction_session_timeout={env.int('DATABASE_IDLE_TIMEOUT', default=15000)}"
    ),
}
# Off, the hot paths' statements run through Django's cursor: for poolers and tracing tools.
PREPARED_SQL = env.bool("PREPARED_SQL", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = False

# Redis or Valkey: the broker and a cache; both may be lost, because rows hold all work.
REDIS_URL = env.str("REDIS_URL", default="")
CACHE_URL = env.str("CACHE_URL", default="") or REDIS_URL or embedded.redis_url(DATA_DIR, db=1)
REDIS_URL = REDIS_URL or embedded.redis_url(DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "ordermgmt",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # longer than any task may take
    "unacked_restore_interval": 5,  # a killed worker's tasks are back in seconds, not in minutes
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,  # a broker that hangs must not block publishers
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
}
CELERY_TASK_PUBLISH_RETRY = False  # the rows are swept anyway
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2  # seconds: beat notices a clock that was set back
# In memory, because intervals are short and a truncated schedule file would stop beat.
CELERY_BEAT_SCHEDULER = "ordermgmt.launcher.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "show that workers work": {
        "task": "ordermgmt.heartbeat",
        "schedule": 10.0,
        "kwargs": {"by_beat": True},
        "options": {"expires": 10},
    },
    # A task that is not started in time is dropped, because the rows show what is due.
    "release due holds": {
        "task": "orders.release_due_holds",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "check big orders": {
        "task": "orders.check_big_orders",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "work off bulk jobs": {
        "task": "orders.work_off_bulk_jobs",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "introduce tables to the planner": {
        "task": "ordermgmt.introduce_tables",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "forget ended sessions": {
        "task": "ordermgmt.forget_ended_sessions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "forget expired tokens": {
        "task": "configuration.forget_expired_tokens",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(DATA_DIR / "static"))

# Hosts (`host` or `host:port`) that webhooks may call although they are private: receivers on your
# own network, and tests.
EGRESS_ALLOWED_HOSTS = env.list("EGRESS_ALLOWED_HOSTS", default=[])

# For tests only: see ordermgmt/failpoints.py.
FAILPOINTS = dict(pair.split(":", 1) for pair in env.list("FAILPOINTS", default=[]))

# OAuth2: clients and their tokens live in django-oauth-toolkit's tables, but only its tables:
# the two token routes and the authenticator are ours (configuration/token_api.py).
OAUTH2_PROVIDER_APPLICATION_MODEL = "configuration.Client"
OAUTH2_PROVIDER = {
    "CLIENT_SECRET_HASHER": "one_pass_sha256",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,  # only a token's checksum is stored
    # Its own routes are not served; should somebody serve them, then as RFC 9700 wants them.
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # people's passwords
    "configuration.hashers.OnePassHasher",  # our own random secrets; the module says why
]

# HTTP. One middleware of ours sets the security headers too; all others serve the console only.
ROOT_URLCONF = "ordermgmt.urls"
WSGI_APPLICATION = "ordermgmt.wsgi.application"
MIDDLEWARE = [
    "ordermgmt.http.middleware.RequestMiddleware",
    "ordermgmt.console.middleware.ConsoleMiddleware",
]
# What these want to see in MIDDLEWARE is in one of ours.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
SILENCED_SYSTEM_CHECKS += ["admin.E408", "admin.E409", "admin.E410", "axes.W002"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
# Set only behind a proxy that always sets this header itself, for instance
# "HTTP_X_FORWARDED_PROTO,https".
SECURE_PROXY_SSL_HEADER = env.tuple("SECURE_PROXY_SSL_HEADER", default=()) or None
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_SIZE", default=10_000_000)  # bytes
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
# How many incomplete bodies of one client a web process reads at once; one more, and the oldest is
# refused. 0 is no limit. The client is who stands behind TRUSTED_PROXIES.
BODIES_AT_ONCE = env.int("BODIES_AT_ONCE", default=100)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"console": "ordermgmt.console.wording"},
        },
    }
]

# The console: Django's admin in unfold's clothes, for people who sign in.
UNFOLD = {
    "SITE_TITLE": "ordermgmt",
    "SITE_HEADER": "ordermgmt",
    "SITE_URL": None,
    "DASHBOARD_CALLBACK": "orders.admin.dashboard.today",
    "SHOW_HISTORY": False,
    "SIDEBAR": {"navigation": "ordermgmt.console.navigation.groups"},
    "ENVIRONMENT": "ordermgmt.console.navigation.environment",
}
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "ordermgmt.console.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# The name of this installation, shown on every page.
ENVIRONMENT_LABEL = env.str("ENVIRONMENT_LABEL", default="")

# A session ends after half an hour without requests, and after a working day.
# Over https, cookies have the prefix that keeps other hosts and paths from setting them.
CONSOLE_HTTPS = env.bool("CONSOLE_HTTPS", default=False)
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = 30 * 60
SESSION_COOKIE_NAME = "__Host-console" if CONSOLE_HTTPS else "console"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/" if CONSOLE_HTTPS else "/console/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONSOLE_HTTPS
CSRF_COOKIE_NAME = "__Host-console-form" if CONSOLE_HTTPS else "console-form"
DEVICE_COOKIE_NAME = "__Host-console-device" if CONSOLE_HTTPS else "console-device"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# Wrong passwords for one name, or for any names, from one address lock out that address only, so an
# attacker cannot lock out a victim.
AXES_FAILURE_LIMIT = 5
FAILURES_FROM_ONE_ADDRESS = 50
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "ordermgmt.console.errors.locked_out"
AXES_CLIENT_IP_CALLABLE = "ordermgmt.console.guessing.origin_of"
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username"]  # not in the log: some type their password there
AXES_VERBOSE = False
# How many proxies of yours add an address to X-Forwarded-For before a request reaches us.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ordermgmt.http.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "ordermgmt.http.openapi.ApiSchema",
    "EXCEPTION_HANDLER": "ordermgmt.http.problems.handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Order management",
    "DESCRIPTION": "Take orders in, hold them, route them, read them, and hear what happens.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "The service that served this document."}],
    # An address with a slash at its end is documented without.
    "PREPROCESSING_HOOKS": ["ordermgmt.http.openapi.without_slashed_addresses"],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_PATCH": False,
    # Enums stay where the wire models put them.
    "POSTPROCESSING_HOOKS": [],
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
}

LOG_LEVEL = env.level("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ordermgmt.monitoring.logging.json_formatter"}},
    "filters": {
        "tracebacks": {
            "()": "django.utils.log.CallbackFilter",
            "callback": "ext://ordermgmt.monitoring.logging.has_traceback",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": "INFO", "propagate": True, "handlers": []},
        # Our own line has every request; this one is for tracebacks.
        "django.request": {"level": "ERROR", "filters": ["tracebacks"]},
        "axes": {"level": "WARNING"},  # wrong passwords and locks, not who signed in
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "urllib3": {"level": "ERROR"},  # its warnings quote addresses, and with them customers
    },
}
