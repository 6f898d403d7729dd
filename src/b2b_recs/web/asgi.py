"""The ASGI application of pages and API, for servers that want one."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "b2b_recs.web.settings")

application = get_asgi_application()
