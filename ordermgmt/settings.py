"""Every setting, read from the environment (or .env); .env.example explains each variable."""

from pathlib import Path

import environ

from ordermgmt import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# Without DATABASE_URL, REDIS_URL and secrets of your own, those of the embedded servers are used:
# see ordermgmt/embedded.py.
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
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "ordermgmt",
    "configuration",
    "webhooks",
    "orders",
]

# OAuth2: clients and their tokens live in django-oauth-toolkit's tables, but only its tables:
# the two token routes and the authenticator are ours (configuration/token_api.py).
OAUTH2_PROVIDER_APPLICATION_MODEL = "configuration.Client"
OAUTH2_PROVIDER = {
    "CLIENT_SECRET_HASHER": "one_pass_sha256",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,  # only a token's checksum is stored
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # people's passwords
    "configuration.hashers.OnePassHasher",  # our own random secrets; the module says why
]
