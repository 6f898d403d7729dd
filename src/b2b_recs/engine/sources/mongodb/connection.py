"""One client of one server: the checked address is dialled, the certificate is verified for the host's name."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import Any

from b2b_recs.engine.sources import trust
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.mongodb.errors import refusal, unreached
from b2b_recs.engine.sources.mongodb.parameters import MongoDBParameters

CONNECT_SECONDS = 10
QUESTION_SECONDS = 60


class _NamedContext:
    """A TLS context that verifies one host's name, whatever address the driver dialled."""

    def __init__(self, context: Any, name: str) -> None:
        self._context = context
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._context, attribute)

    def wrap_socket(self, *args: Any, **options: Any) -> Any:
        return self._context.wrap_socket(*args, **{**options, "server_hostname": self._name})


def connect(parameters: MongoDBParameters, dial: Dialer) -> Any:
    """A client that has spoken with the server. Raises the engine's errors.

    Direct: the client talks to this server alone, because the members a server names were not checked.
    """
    pymongo = load_driver("pymongo", extra="mongodb", name="MongoDB")
    address = dial(parameters.host, parameters.port)
    _reach(parameters, address)
    client = None
    with tempfile.TemporaryDirectory(prefix="b2b-recs-") as folder:
        try:
            client = pymongo.MongoClient(
                address, parameters.port, connect=False, directConnection=True, tz_aware=True, appname="b2b-recs",
                serverSelectionTimeoutMS=CONNECT_SECONDS * 500, connectTimeoutMS=CONNECT_SECONDS * 1000,
                socketTimeoutMS=QUESTION_SECONDS * 1000, retryReads=False, retryWrites=False, maxPoolSize=4,
                readPreference="secondaryPreferred", **_login(parameters), **_encryption(parameters, Path(folder)),
            )  # fmt: skip
            _verify_name(client, parameters.host)
            client.admin.command("ping")
        except pymongo.errors.PyMongoError as error:
            if client is not None:
                client.close()
            raise refusal(error, parameters, "the database") from None
    return client


def interrupt(client: Any) -> None:
    """Make every question of the client that waits for its answer give up, from any thread.

    The driver's own means, by which it gives up what waits for a server it has found dead.
    """
    for server in list(client._topology._servers.values()):
        with server.pool.lock:
            waiting = list(server.pool.active_contexts)
        for context in waiting:
            context.cancel()


def _reach(parameters: MongoDBParameters, address: str) -> None:
    """Knock once: the client itself would go on trying for its whole time limit, whatever the reason."""
    try:
        connection = socket.create_connection((address, parameters.port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise unreached(str(error), parameters, encrypted=False) from None
    with connection:
        if parameters.ssl_mode == "disable":
            return
        try:
            required = parameters.ssl_mode == "require"
            context = trust.unverified() if required else trust.verifying(parameters.ca_certificate)
            context.wrap_socket(connection, server_hostname=parameters.host).close()
        except (OSError, ValueError) as error:
            raise unreached(str(error), parameters, encrypted=True) from None


def _login(parameters: MongoDBParameters) -> dict[str, Any]:
    if not parameters.username:
        return {}
    return {
        "username": parameters.username,
        "password": parameters.password.get_secret_value(),
        "authSource": parameters.auth_database,
    }


def _encryption(parameters: MongoDBParameters, folder: Path) -> dict[str, Any]:
    if parameters.ssl_mode == "disable":
        return {"tls": False}
    if parameters.ssl_mode == "require":
        return {"tls": True, "tlsAllowInvalidCertificates": True}
    settings: dict[str, Any] = {"tls": True, "tlsDisableOCSPEndpointCheck": True}
    if parameters.ca_certificate:
        authority = folder / "authority.pem"
        authority.write_text(parameters.ca_certificate)
        settings["tlsCAFile"] = str(authority)
    return settings


def _verify_name(client: Any, host: str) -> None:
    """Verify certificates for the host's name. Without this they would be verified for the address, and refused."""
    options = client.options.pool_options
    context = options._ssl_context
    if context is not None:
        options._PoolOptions__ssl_context = _NamedContext(context, host)
