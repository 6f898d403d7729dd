"""What the endpoint says no to: a status, a code for programs, and words for people."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from b2b_recs.engine.quoted import quoted

MODELS_NAMED = 2


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code for programs, words for people, the field at fault when there is one, and what to do."""

    code: str
    message: str
    field: str | None = None
    advice: str = ""


class RefusalReply(msgspec.Struct, frozen=True):
    """The body of every reply that is not an answer."""

    error: Refusal


class Refused(Exception):
    """A request that is not answered; ``field`` names the part of the body at fault, when there is one.

    ``message`` says what was at fault, ``advice`` what to do.
    """

    def __init__(self, status: int, code: str, message: str, *, advice: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.advice = advice

    def body(self) -> bytes:
        """The reply as JSON: ``{"error": {"code", "message", "field"?, "advice"}}``."""
        return msgspec.json.encode(RefusalReply(Refusal(self.code, self.message, self.field, self.advice)))


def key_missing(sent: bool) -> Refused:
    """401: no key was sent, or one that opens nothing here."""
    return Refused(
        401,
        "key_refused",
        "The API key is not valid here: it is unknown or was revoked." if sent else "No API key was sent.",
        advice="Send it as 'Authorization: Bearer KEY'. Keys are made on the model's page API keys, or with "
        "'b2b-recs api-key MODEL'.",
    )


def key_opens_none() -> Refused:
    """403: the key is good, but not for asking any model that is served."""
    return Refused(
        403,
        "key_opens_no_model",
        "This API key opens no model that is served: it needs the scope recommend, and its model must be deployed.",
        advice="Deploy a version on the model's page Versions, or make a key with that scope with "
        "'b2b-recs api-key MODEL'.",
    )


def key_of_another(model_id: int) -> Refused:
    """403: the key is good, but not for the model of the path, whether or not that model exists."""
    return Refused(
        403,
        "key_not_for_model",
        f"This API key does not open model {model_id}.",
        advice="Send a key of that model, or leave /models/ID out of the address to ask the model of this key.",
    )


def model_not_named(models: Iterable[int]) -> Refused:
    """400: the key opens several models and the address names none of them."""
    first = sorted(models)[:MODELS_NAMED]
    return Refused(
        400,
        "model_not_named",
        f"This API key opens several models, such as {' and '.join(map(str, first))}, and the address names none.",
        advice=f"Put the model before it, such as /models/{first[0]}/recommend.",
    )


def not_loaded(model_id: int) -> Refused:
    """503: the model has no version that can answer."""
    return Refused(
        503,
        "no_model",
        f"No version of model {model_id} is loaded.",
        advice=f"Ask again in a moment; /models/{model_id}/health says the reason. Else deploy a version on the "
        "model's page Versions.",
    )


def stopped() -> Refused:
    """503: somebody stopped the serving of the model; told to holders of its keys only."""
    return Refused(
        503,
        "serving_stopped",
        "Serving of this model was stopped.",
        advice="An editor, admin or owner of its organization starts it again on the model's page Versions.",
    )


def too_large(limit: int, size: int | None) -> Refused:
    """413: a body of more bytes than are read; ``size`` where the caller said it."""
    said = f"has {size:,} bytes" if size is not None else "is too large"
    return Refused(
        413,
        "body_too_large",
        f"The body {said}; {limit // 2**20} MB is the most.",
        advice="Ask for fewer customers at a time, or send fewer products to exclude.",
    )


def broken() -> Refused:
    """500: a fault of ours."""
    return Refused(
        500,
        "failed",
        "The request could not be answered: something failed on our side.",
        advice="Ask again. Where it goes on, the log of the serving process has the reason for its operator.",
    )


def unknown_address(status: int, method: str, path: str, allowed: str) -> Refused:
    """404 or 405, or whatever else is said of an address and a method."""
    place = quoted(path)
    if status == 405:
        return Refused(405, "http_405", f"{place} does not take {quoted(method, 20)}.", advice=f"Use {allowed}.")
    return Refused(
        status,
        f"http_{status}",
        f"There is nothing at {place}." if status == 404 else f"{place} could not be asked.",
        advice="Use /recommend, /recommend-batch, /model-info or /health, alone or after /models/ID; /openapi.json "
        "describes them.",
    )
