"""What the web server calls: the WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from ordermgmt.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

if os.environ.get("ORDERMGMT_SUPERVISED"):  # by `up`: loaded in each web process of its server
    die_with_parent(os.getppid())

application = get_wsgi_application()
