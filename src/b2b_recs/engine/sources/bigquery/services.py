"""Where Google's services answer, and the clients that reach them only through the guard."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from b2b_recs.engine.errors import AuthenticationRefused
from b2b_recs.engine.sources.bigquery.bodies import bounded
from b2b_recs.engine.sources.bigquery.parameters import BigQueryParameters
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.proxy import GuardedProxy

EXTRA, DRIVER, NAME = "bigquery", "google.cloud.bigquery", "BigQuery"
_SCOPES = ("https://www.googleapis.com/auth/bigquery",)
_MESSAGE_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Services:
    """Addresses of the REST service, the Storage Read service and the one that gives tokens.

    ``authorities`` is a PEM file of whom to trust; empty for the authorities everybody trusts.
    """

    api: str = "https://bigquery.googleapis.com"
    storage: tuple[str, int] = ("bigquerystorage.googleapis.com", 443)
    token: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
    authorities: str = ""


GOOGLE = Services()


@dataclass(slots=True)
class Clients:
    """The two clients of one connection, and what has to be closed with them."""

    rest: Any
    storage: Any
    closing: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Close every session and channel."""
        for one in self.closing:
            one.close()


def driver(module: str) -> Any:
    """A module of Google's libraries. Raises DriverMissing."""
    return load_driver(module, extra=EXTRA, name=NAME)


def connect(parameters: BigQueryParameters, services: Services, proxy: GuardedProxy) -> Clients:
    """Clients whose every connection goes through ``proxy``. Raises AuthenticationRefused for a key that is none."""
    requests = driver("google.auth.transport.requests")
    hook = bounded(parameters.project)
    plain = _session(driver("requests").Session(), services, proxy, hook)
    asking = requests.Request(plain)
    credentials = _credentials(parameters, services)
    session = _session(requests.AuthorizedSession(credentials, auth_request=asking), services, proxy, hook)
    rest = driver(DRIVER).Client(
        project=parameters.project,
        credentials=credentials,
        location=parameters.location or None,
        client_options={"api_endpoint": services.api},
        _http=session,
    )
    channel = _channel(credentials, asking, services, proxy)
    # The plain client: the one above it tries a lost stream again without an end.
    service = "google.cloud.bigquery_storage_v1.services.big_query_read"
    transport = driver(f"{service}.transports").BigQueryReadGrpcTransport(channel=channel)
    storage = driver(service).BigQueryReadClient(transport=transport)
    return Clients(rest, storage, [session, plain, channel])


def _credentials(parameters: BigQueryParameters, services: Services) -> Any:
    info = json.loads(parameters.credentials.get_secret_value()) | {"token_uri": services.token}
    try:
        return driver("google.oauth2.service_account").Credentials.from_service_account_info(info, scopes=_SCOPES)
    except ValueError:
        raise AuthenticationRefused(
            "The private key inside the service account key cannot be read.",
            advice="Give the whole text of the key's file, or make a new key.",
            field="credentials",
        ) from None


def _session(session: Any, services: Services, proxy: GuardedProxy, hook: Callable[..., None]) -> Any:
    """The session told to use the proxy, and nothing of the environment or of files; ``hook`` reads each response."""
    session.hooks["response"].append(hook)
    session.trust_env = False
    session.proxies = {"http": proxy.url, "https": proxy.url}
    if services.authorities:
        session.verify = services.authorities
    return session


def _channel(credentials: Any, asking: Any, services: Services, proxy: GuardedProxy) -> Any:
    """A gRPC channel to the proxy's tunnel, which verifies the name of the service behind it."""
    grpc = driver("grpc")
    host, port = services.storage
    address, tunnel = proxy.tunnel(host, port)
    roots = Path(services.authorities).read_bytes() if services.authorities else None
    plugin = driver("google.auth.transport.grpc").AuthMetadataPlugin(credentials, asking)
    trusted = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(roots), grpc.metadata_call_credentials(plugin)
    )
    options = [
        ("grpc.ssl_target_name_override", host),
        ("grpc.default_authority", host),
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 60_000),
    ]
    return grpc.secure_channel(f"{address}:{tunnel}", trusted, options=options)
