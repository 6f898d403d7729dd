"""Speaking with Google's services: a service account's key, and channels on which every address is checked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, SecretStr

from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.proxy import GuardedProxy

# The longest message that is taken: a document of 1 MB, or a page of names, many times over.
MESSAGE_BYTES = 32 * 2**20
_GOOGLES = re.compile(r"https://([a-z0-9-]+\.)+googleapis\.com/[\w/.-]*")
_EMAIL = re.compile(r"[\w.+-]{1,200}@[\w.-]{1,200}")
_WORDS = "must be the JSON text of a service account's key"


@dataclass(frozen=True, slots=True)
class Service:
    """One of Google's services; ``authority`` is PEM text for a server of another authority than the system's."""

    host: str
    port: int = 443
    authority: str = ""


def service_account(text: str) -> dict[str, str]:
    """What a service account's key file says. Raises ValueError for anything else than such a file.

    A key file may name the address that gives out tokens; one that is not Google's would be sent signed requests.
    """
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise ValueError(_WORDS) from None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise ValueError(_WORDS)
    names = ("client_email", "private_key_id", "private_key")
    if not all(isinstance(found.get(name), str) for name in names) or "PRIVATE KEY" not in found["private_key"]:
        raise ValueError(_WORDS)
    if not _EMAIL.fullmatch(found["client_email"]):
        raise ValueError("holds no e-mail address of a service account")
    if found.get("token_uri") and not _GOOGLES.fullmatch(str(found["token_uri"])):
        raise ValueError("names a token address that is not Google's")
    if found.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise ValueError("belongs to another universe than googleapis.com")
    return {name: found[name] for name in names}


def _checked(value: SecretStr) -> SecretStr:
    service_account(value.get_secret_value())
    return value


ServiceAccountKey = Annotated[SecretStr, AfterValidator(_checked)]
KEY_WORDS = "The JSON text of a service account's key file; the account needs only the right to read."


def guarded_channel(service: Service, key: str, proxy: GuardedProxy, *, extra: str, name: str) -> Any:
    """A gRPC channel to the service that signs its own tokens and reaches it through the proxy alone.

    Tokens are signed here, so that no token address is asked. Raises ValueError for a key that cannot sign.
    """
    grpc = load_driver("grpc", extra=extra, name=name)
    jwt = load_driver("google.auth.jwt", extra=extra, name=name)
    plugin = load_driver("google.auth.transport.grpc", extra=extra, name=name).AuthMetadataPlugin
    account = {**service_account(key), "token_uri": "https://oauth2.googleapis.com/token"}
    signing = jwt.Credentials.from_service_account_info(account, audience=f"https://{service.host}/")
    encryption = grpc.ssl_channel_credentials(service.authority.encode() or None)
    credentials = grpc.composite_channel_credentials(encryption, grpc.metadata_call_credentials(plugin(signing, None)))
    options = [
        ("grpc.http_proxy", proxy.url),
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.enable_retries", 0),
        ("grpc.keepalive_time_ms", 30_000),
    ]
    return grpc.secure_channel(f"{service.host}:{service.port}", credentials, options)
