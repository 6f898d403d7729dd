"""Whether processes that were started one by one (containers, systemd) do what a command needs."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg

from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.children import answers
from b2b_recs.runtime.database import ControlDatabase, configured_externally
from b2b_recs.runtime.environment import envport, envtext
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys

# A worker writes one every few seconds; one that ended leaves no row, one that was killed an old one.
_ALIVE = "SELECT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - interval '15 seconds')"


def work_apart(home: Home, *, worker: bool, serving: bool) -> bool:
    """Whether a worker takes jobs from the database of DATABASE_URL and the endpoint answers, as far as asked."""
    if not configured_externally():
        return False
    return (not serving or _endpoint_answers()) and (not worker or _worker_lives(home))


def _endpoint_answers() -> bool:
    port = envport("B2B_RECS_SERVING_PORT", 8001)
    place = urlsplit(envtext("B2B_RECS_SERVING_URL", f"http://127.0.0.1:{port}"))
    if place.scheme != "http" or not place.hostname:
        return place.scheme == "https"  # behind a proxy of the owner's: the run itself will ask it
    return answers(place.port or 80, "/health", place.hostname)(0)


def _worker_lives(home: Home) -> bool:
    try:
        url = ControlDatabase.current(home, load_keys(home)).worker
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(_ALIVE).fetchone()
    except (psycopg.Error, EngineError):
        return False
    return row is not None and bool(row[0])
