"""Answers of the REST service, which no server may make endless: they are read whole, up to what one can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from b2b_recs.engine.sources.bigquery.errors import TOO_MANY

# A page of rows is 10 MB at most, or one row of up to 100 MB.
MOST_BYTES = 256 * 2**20
_PIECE = 1 << 16


def bounded(project: str) -> Callable[..., None]:
    """What a session calls with each response before anything reads it. Raises SourceRefused."""

    def read(response: Any, **told: Any) -> None:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > MOST_BYTES:
                response.close()
                raise TOO_MANY.about(host=project)
            pieces.append(piece)
        # Where the response keeps what was read of it.
        response._content = b"".join(pieces)

    return read
