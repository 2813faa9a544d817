"""Parameters with which the service does not start a task (resources, section 4). Pure: nothing is called here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .errors import RUNTIME, StateFailure
from .resources import integration
from .values import JSON, Payload

#: What http:invoke may ask for.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
#: How http:invoke may write a body, and the arrays in it.
ENCODINGS = ("NONE", "URL_ENCODED")
ARRAY_FORMATS = ("INDICES", "REPEAT", "COMMAS", "BRACKETS", "NONE")

#: Headers of http:invoke that are the service's own, or the connection's between two machines; in lower case.
_RESERVED = frozenset(
    (
        "a-im accept-charset accept-datetime accept-encoding cache-control connection content-encoding content-length "
        "content-md5 date expect forwarded from host http2-settings if-match if-modified-since if-none-match if-range "
        "if-unmodified-since max-forwards origin pragma proxy-authorization range referer server te trailer "
        "transfer-encoding upgrade user-agent via warning"
    ).split()
)
_RESERVED_PREFIXES = ("x-forwarded-", "x-amz-", "x-amzn-")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_CONNECTION = re.compile(r"arn:[^:]*:events:[^:]*:[^:]*:connection/(?P<name>[A-Za-z0-9._-]+)(?:/[^/]*)?")
_ENDPOINT = re.compile(r"https?://[^\s/?#@]+(?:[/?][^\s#]*)?")


def problem_with(resource: str) -> Callable[[JSON], str | None] | None:
    """What tells why the service does not start a task with some parameters; None if it takes all.

    The function answers None for parameters that are fine.
    """
    return _PROBLEMS.get(integration(resource) or ("", ""))


def refusal(parameters: Payload, problem: str) -> StateFailure:
    """The failure of a task that is not started with these parameters, in the service's words."""
    return StateFailure(
        RUNTIME,
        f"The Parameters '{parameters.text.decode()}' could not be used to start the Task: [{problem}]",
    )


def is_header(name: str, value: object) -> bool:
    """Whether a header may be sent so."""
    return bool(_HEADER_NAME.fullmatch(name) and isinstance(value, str) and _HEADER_VALUE.fullmatch(value))


def connection_name(arn: JSON) -> str | None:
    """The name of the connection in its ARN; None if it is none."""
    match = _CONNECTION.fullmatch(arn) if isinstance(arn, str) else None
    return None if match is None else match["name"]


def connection_of(parameters: Mapping[str, JSON]) -> JSON:
    """The ARN of the connection that http:invoke sends its request over; None if it names none."""
    for member in ("Authentication", "InvocationConfig"):
        given = parameters.get(member)
        if isinstance(given, Mapping) and "ConnectionArn" in given:
            return given["ConnectionArn"]
    return None


def texts_of(value: JSON) -> list[str] | None:
    """The texts that one header or one query parameter is sent as; None for a value that is no such thing."""
    values = value if isinstance(value, list) else [value]
    texts = [_text_of(one) for one in values]
    return None if None in texts else [text for text in texts if text is not None]


def _text_of(value: JSON) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None


def _invalid(field: str) -> str:
    return f"The value of the field '{field}' has an invalid format"


def _of_gateway(parameters: JSON) -> str | None:
    """Headers and query parameters of apigateway:invoke are lists of texts by name."""
    if not isinstance(parameters, Mapping):
        return None
    for name in ("Headers", "QueryParameters"):
        given = parameters.get(name, {})
        if not isinstance(given, Mapping) or not all(isinstance(one, list) for one in given.values()):
            return _invalid(name)
    return None


def _of_http(parameters: JSON) -> str | None:
    if not isinstance(parameters, Mapping):
        return "The value of the field 'Parameters' must be an object"
    for name in ("ApiEndpoint", "Method"):
        if name not in parameters:
            return f"The field '{name}' is required but was missing"
    return next(
        (
            _invalid(name)
            for name, fits in _FORMATS.items()
            if name in parameters and not fits(parameters[name])
        ),
        None,
    ) or _refused_header(parameters.get("Headers") or {})


def _refused_header(headers: Mapping[str, JSON]) -> str | None:
    for name in headers:
        if name.lower() in _RESERVED or name.lower().startswith(_RESERVED_PREFIXES):
            return f"The header '{name}' is not allowed in the field 'Headers'"
    return None


def _is_endpoint(value: JSON) -> bool:
    return isinstance(value, str) and _ENDPOINT.fullmatch(value) is not None


def _is_connected(value: JSON) -> bool:
    return isinstance(value, Mapping) and (
        "ConnectionArn" not in value or connection_name(value["ConnectionArn"]) is not None
    )


def _are_headers(value: JSON) -> bool:
    return isinstance(value, Mapping) and all(
        (texts := texts_of(given)) is not None and all(is_header(name, text) for text in texts)
        for name, given in value.items()
    )


def _are_query_parameters(value: JSON) -> bool:
    return isinstance(value, Mapping) and all(
        given is None or texts_of(given) is not None for given in value.values()
    )


def _is_transform(value: JSON) -> bool:
    if not isinstance(value, Mapping) or value.get("RequestBodyEncoding", "NONE") not in ENCODINGS:
        return False
    options = value.get("RequestEncodingOptions", {})
    return isinstance(options, Mapping) and options.get("ArrayFormat", "INDICES") in ARRAY_FORMATS


_FORMATS: Mapping[str, Callable[[JSON], bool]] = {
    "ApiEndpoint": _is_endpoint,
    "Method": lambda value: value in METHODS,
    "Authentication": _is_connected,
    "InvocationConfig": _is_connected,
    "Headers": _are_headers,
    "QueryParameters": _are_query_parameters,
    "Transform": _is_transform,
}

_PROBLEMS: Mapping[tuple[str, str], Callable[[JSON], str | None]] = {
    ("apigateway", "invoke"): _of_gateway,
    ("apigateway", "invoke.waitForTaskToken"): _of_gateway,
    ("http", "invoke"): _of_http,
}
