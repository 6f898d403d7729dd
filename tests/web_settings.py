"""The product's settings for tests: a throw-away home and key, and a database that fixtures put in place."""

import os
import secrets
import tempfile

os.environ["B2B_RECS_HOME"] = tempfile.mkdtemp(prefix="b2b-recs-test-home-")
os.environ["B2B_RECS_SECRET_KEY"] = secrets.token_hex(32)
os.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
os.environ.pop("B2B_RECS_HOSTED", None)

from b2b_recs.web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; real ones are slow by design
SERVING_URL = "http://127.0.0.1:1"  # nothing answers there, whatever else runs on the machine
