"""The platform as a runner elsewhere sees it: one run, asked about and reported to over HTTP."""

from __future__ import annotations

import ipaddress
import time
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from b2b_recs.engine.errors import BadInput, Fenced
from b2b_recs.runtime.environment import envbool
from b2b_recs.runtime.recording import Answer, Away, Report
from b2b_recs.runtime.run_documents import (
    LONGEST_TEXT,
    MOST_LINES,
    Assignment,
    EndAnswer,
    EndReport,
    ProgressAnswer,
    ProgressReport,
    UseReport,
)

PLAIN_VARIABLE = "B2B_RECS_RUN_PLAIN_HTTP"
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 1.0
_LONGEST = 2_000
Said = TypeVar("Said", bound=BaseModel)


class PlatformAway(Exception):
    """The platform did not answer for as long as was waited."""


class PlatformClient:
    """The gate and the outlet of one run, for whoever holds its token. Use as a context manager."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = _checked(url)
        self._token = token
        # A redirect would carry the token elsewhere.
        self._client = httpx.Client(timeout=20, follow_redirects=False, transport=transport)

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def assignment(self) -> Assignment:
        """What is to be done. Raises Fenced, BadInput with the platform's refusal, PlatformAway."""
        return self._patiently("GET", "", None, Assignment)

    def note_use(self, refusal: str = "") -> None:
        """Tell whether the source let us in. Raises Fenced, PlatformAway."""
        self._patiently("POST", "used/", UseReport(refusal=_sendable(refusal, _LONGEST)), None)

    def end(self, ending: dict[str, Any]) -> bool:
        """Tell how the work ended, by the fields of an EndReport; whether the run is tried again.

        Raises Fenced, PlatformAway.
        """
        report = EndReport.model_validate(_sendable(ending, LONGEST_TEXT))
        return self._patiently("POST", "end/", report, EndAnswer).again

    def write(self, report: Report) -> Answer:
        """Hand over progress, as an outlet of the recorder does. Raises Away."""
        lines = [{"at": at, "level": level, "message": message} for at, level, message in report.lines[-MOST_LINES:]]
        document = ProgressReport.model_validate(
            _sendable({"counters": report.counters, "stages": report.stages, "lines": lines}, _LONGEST)
        )
        try:
            said = self._ask("POST", "progress/", document, ProgressAnswer)
        except Fenced:
            return Answer(fenced=True)
        except (httpx.HTTPError, _Unready) as trouble:
            raise Away(str(trouble)) from trouble
        self._token = said.token or self._token
        return Answer(cancel_requested=said.cancel_requested)

    def interrupted(self) -> None:
        """Tell that this process ends because it was told to; when that fails, its silence says the same later."""
        try:
            self._ask("POST", "interrupted/", None, None)
        except (httpx.HTTPError, _Unready, Fenced, BadInput):
            return

    def close(self) -> None:
        """Nothing to release: the gate outlives the recorder."""

    def _patiently(self, method: str, path: str, document: BaseModel | None, said: type[Said] | None) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._ask(method, path, document, said)
            except (httpx.HTTPError, _Unready) as trouble:
                if time.monotonic() > until:
                    raise PlatformAway(str(trouble)) from trouble
                time.sleep(PAUSE_SECONDS)

    def _ask(self, method: str, path: str, document: BaseModel | None, said: type[Said] | None) -> Any:
        body = None if document is None else document.model_dump(mode="json", exclude_none=True)
        answer = self._client.request(
            method, self._url + path, json=body, headers={"Authorization": f"RunToken {self._token}"}
        )
        if answer.status_code == 409:
            raise Fenced(_message(answer, "A newer attempt has taken over this run, or it has ended."))
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _Unready(f"The platform answered with {answer.status_code}.")
        if answer.status_code == 401:
            raise Fenced(_message(answer, "The run token is not accepted."))
        if answer.status_code >= 300:
            raise BadInput(
                _message(answer, f"The platform answered with {answer.status_code}."), advice=_part(answer, "advice")
            )
        try:
            return None if said is None else said.model_validate_json(answer.content)
        except ValidationError:
            raise BadInput(
                "The platform's answer cannot be read.", advice="Use a runner of the platform's own version."
            ) from None


class _Unready(Exception):
    """The platform is there and cannot answer now."""


def _sendable(value: Any, longest: int) -> Any:
    """The value with texts that a report can carry: not longer, and without halves of surrogate pairs.

    A report that cannot be sent would be tried for ever, and nothing that follows it would arrive.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:longest]
    if isinstance(value, dict):
        return {_sendable(name, longest): _sendable(item, longest) for name, item in value.items()}
    return [_sendable(item, longest) for item in value] if isinstance(value, list | tuple) else value


def _part(answer: httpx.Response, name: str) -> str:
    try:
        return str(answer.json()["error"][name])
    except (ValueError, KeyError, TypeError):
        return ""


def _message(answer: httpx.Response, usual: str) -> str:
    return _part(answer, "message") or usual


def _checked(url: str) -> str:
    """The address of the run when a token may be sent there. Raises BadInput."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadInput(
            "The run URL cannot be used.", field="run_url", advice="Give it as the platform shows it, with https://."
        )
    if parts.scheme == "http" and not (_is_here(parts.hostname) or envbool(PLAIN_VARIABLE)):
        raise BadInput(
            "The run URL is not encrypted, and a token and a password would pass over it.",
            field="run_url",
            advice=f"Use https, or set {PLAIN_VARIABLE}=true where the network between is your own.",
        )
    return url if url.endswith("/") else f"{url}/"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
