"""Tests of stored connections in the background, a few at a time, so that no page waits for a source.

What came of a test stands on the connection, so whichever process is asked next knows it.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from b2b_recs.web.connections.testing import test_stored

AT_ONCE = 3
# A test ends within this, or nobody waits for it any more.
PATIENCE_SECONDS = 60.0
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="connection-test")
_lock = threading.Lock()
_under_way: set[int] = set()


def begin(organization_id: int, connection_id: int) -> None:
    """Test a connection soon; one that is being tested is not tested twice."""
    with _lock:
        if connection_id in _under_way:
            return
        _under_way.add(connection_id)
    _pool.submit(_test, organization_id, connection_id)


def _test(organization_id: int, connection_id: int) -> None:
    try:
        test_stored(organization_id, connection_id)
    finally:
        with _lock:
            _under_way.discard(connection_id)
        connections.close_all()
