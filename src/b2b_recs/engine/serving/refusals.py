"""What the endpoint says no to: a status, a code for programs, and words for people."""

from __future__ import annotations

import msgspec


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code for programs, words for people, the field at fault and what to do when there is one."""

    code: str
    message: str
    field: str | None = None
    advice: str | None = None


class RefusalReply(msgspec.Struct, frozen=True):
    """The body of every reply that is not an answer."""

    error: Refusal


class Refused(Exception):
    """A request that is not answered; ``field`` names the part of the body at fault, when there is one.

    ``advice`` says what to do where the message does not.
    """

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, advice: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.advice = advice

    def body(self) -> bytes:
        """The reply as JSON: ``{"error": {"code", "message", "field"?, "advice"?}}``."""
        return msgspec.json.encode(RefusalReply(Refusal(self.code, self.message, self.field, self.advice)))


def key_missing() -> Refused:
    """401: no key, or one that opens nothing here."""
    return Refused(401, "key_refused", "The API key is missing or not valid. Send it as 'Authorization: Bearer KEY'.")


def key_opens_none() -> Refused:
    """403: the key is good, but not for asking any model that is served."""
    return Refused(
        403,
        "key_opens_no_model",
        "This API key opens no model that is served: it needs the scope recommend, and its model must be deployed. "
        "'b2b-recs api-key MODEL' makes a key with that scope.",
    )


def key_of_another() -> Refused:
    """403: the key is good, but not for the model of the path, whether or not that model exists."""
    return Refused(403, "key_not_for_model", "This API key does not open that model.")


def not_loaded() -> Refused:
    """503: the model has no version that can answer."""
    return Refused(503, "no_model", "No version of the model is loaded. Deploy one, or see /health for the reason.")


def stopped() -> Refused:
    """503: somebody stopped the serving of the model; told to holders of its keys only."""
    return Refused(
        503,
        "serving_stopped",
        "Serving of this model was stopped.",
        advice="An editor, admin or owner of its organization starts it again on the model's page Versions.",
    )
