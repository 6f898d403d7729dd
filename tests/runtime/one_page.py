"""A WSGI application that answers with its process id."""

from __future__ import annotations

import os


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
