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
