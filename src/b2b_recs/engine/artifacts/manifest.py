"""What an artifact says about itself, and the one way it is written as bytes."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from b2b_recs.engine.errors import ArtifactRefused

MANIFEST_FILE = "manifest.json"
TENSOR_FILE = "tensors.safetensors"
MANIFEST_LIMIT = 16 * 1024 * 1024  # bytes; far above any real one, so that a wrong file is refused unread

_ARTIFACT_ID = re.compile(r"[0-9a-f]{64}")


class TensorFact(BaseModel):
    """The type and shape of one array, as numpy names them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dtype: str
    shape: tuple[int, ...]


class Manifest(BaseModel):
    """Everything about an artifact that is not an array.

    ``kind`` says what the arrays are; ``facts`` is the JSON document of that kind; ``tensors_sha256`` binds the
    array file, so the SHA-256 of the manifest binds every byte of the artifact.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["b2b-recs artifact"] = "b2b-recs artifact"
    version: Literal[1] = 1
    kind: Literal["bundle", "evaluation"]
    tensors_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tensors_bytes: int = Field(ge=8)
    tensors: dict[str, TensorFact]
    facts: dict[str, Any]

    def canonical(self) -> bytes:
        """The manifest as bytes: sorted keys, no spaces, UTF-8, no NaN; equal manifests give equal bytes."""
        document = self.model_dump(mode="json")
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()

    def artifact_id(self) -> str:
        """SHA-256, in hex, of the canonical bytes."""
        return hashlib.sha256(self.canonical()).hexdigest()


def check_artifact_id(artifact_id: str) -> str:
    """The id itself when it is 64 lower-case hex digits; anything else (a path, say) is refused."""
    if not isinstance(artifact_id, str) or not _ARTIFACT_ID.fullmatch(artifact_id):
        raise ArtifactRefused(
            f"{str(artifact_id)[:80]!r} is not the id of an artifact.",
            advice="Use the 64 hex digits shown with the trained model.",
            field="artifact_id",
        )
    return artifact_id


def parse_manifest(data: bytes, artifact_id: str) -> Manifest:
    """The manifest in ``data``, refused unless its bytes are exactly the ones ``artifact_id`` was taken from."""
    if hashlib.sha256(data).hexdigest() != artifact_id:
        raise damaged(artifact_id, "its manifest is not the one it was written with")
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise damaged(artifact_id, f"its manifest cannot be read (at {where or 'the start'})") from error


def damaged(artifact_id: str, why: str) -> ArtifactRefused:
    """The refusal for an artifact whose bytes cannot be trusted."""
    return ArtifactRefused(
        f"Model artifact {artifact_id[:12]} was refused: {why}.",
        advice="Restore the artifact folder from a backup, deploy another version, or train again.",
    )
