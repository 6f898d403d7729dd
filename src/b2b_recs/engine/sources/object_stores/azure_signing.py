"""The shared key signature of Azure Blob Storage, for requests without a body.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence

_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


def authorization(
    method: str, account: str, key: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str]
) -> str:
    """The Authorization header for a request with these headers and this path, which is encoded as it is sent."""
    sent = {name.lower(): value for name, value in headers.items()}
    own = [f"{name}:{value}" for name, value in sorted(sent.items()) if name.startswith("x-ms-")]
    asked = [f"{name.lower()}:{value}" for name, value in sorted(query)]
    text = "\n".join([method, *(sent.get(name, "") for name in _SIGNED), *own, f"/{account}{path}", *asked])
    signature = hmac.digest(base64.b64decode(key), text.encode(), "sha256")
    return f"SharedKey {account}:{base64.b64encode(signature).decode()}"
