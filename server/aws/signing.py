"""Signature Version 4: whether a request was signed with an access key of this server, and nobody changed it since.

A signature covers the body, so only its verification needs the secret; the secret itself never travels. Pure.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from .errors import ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "states"
#: How far the clocks of client and server may be apart, in milliseconds.
SKEW_MILLISECONDS = 5 * 60 * 1000

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<scope>(?P<date>\d{8})/(?P<region>[^/,\s]+)/"
    r"(?P<service>[^/,\s]+)/aws4_request), *SignedHeaders=(?P<headers>[a-z0-9;-]+), *"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature is about: a request for ``/`` without a query. Header names are in lower case."""

    method: str
    headers: Mapping[str, str]
    body: bytes


def verify(request: Signed, keys: Mapping[str, str], now: int) -> str:
    """The access key that signed a request, out of secrets by key. Raises ServiceError."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith(ALGORITHM):
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _AUTHORIZATION.fullmatch(authorization)
    instant = request.headers.get("x-amz-date", "")
    names = [] if found is None else found["headers"].split(";")
    if found is None or not instant.startswith(found["date"]) or not {"host", "x-amz-date"} <= {*names}:
        raise ServiceError(
            "IncompleteSignatureException", "The request signature does not conform to AWS standards."
        )
    _check_time(instant, now)
    secret = keys.get(found["key"])
    if secret is None:
        raise ServiceError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    to_sign = "\n".join([ALGORITHM, instant, found["scope"], sha256(_canonical(request, names)).hexdigest()])
    key = _signing_key(secret, found["date"], found["region"])
    expected = hmac.new(key, to_sign.encode(), sha256).hexdigest()
    if found["service"] != SERVICE or not hmac.compare_digest(expected, found["signature"]):
        raise ServiceError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
        )
    return found["key"]


def _check_time(instant: str, now: int) -> None:
    try:
        signed = datetime.strptime(instant, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp() * 1000
    except ValueError:
        raise ServiceError("IncompleteSignatureException", "X-Amz-Date is no date") from None
    if abs(signed - now) > SKEW_MILLISECONDS:
        here = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        when = "expired" if signed < now else "not yet current"
        raise ServiceError("InvalidSignatureException", f"Signature {when}: {instant} is too far from {here}")


def _canonical(request: Signed, names: Sequence[str]) -> bytes:
    """The request as it is signed."""
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names]
    digest = sha256(request.body).hexdigest()
    return "\n".join([request.method, "/", "", "".join(headers), ";".join(names), digest]).encode()


def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def read_access_keys(text: str) -> Mapping[str, str]:
    """Secrets by access key from a text with one pair on each line. Raises ValueError, which names the line."""
    keys = {}
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.partition("#")[0].split()
        if parts:
            if len(parts) != 2:
                raise ValueError(f"line {number} is not an access key and its secret")
            keys[parts[0]] = parts[1]
    return keys
