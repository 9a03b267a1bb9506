"""What the web server calls: the WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

application = get_wsgi_application()
