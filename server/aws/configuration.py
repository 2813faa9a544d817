"""Logging, tracing, encryption and tags as they are given with a machine or an activity (api, section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from detent.core.values import JSON
from detent.runtime.catalogue_changes import TAGS_MAX

from .errors import ServiceError, validation

LOGGING_OFF: Mapping[str, JSON] = {"level": "OFF", "includeExecutionData": False}
TRACING_OFF: Mapping[str, JSON] = {"enabled": False}
OWNED_KEY: Mapping[str, JSON] = {"type": "AWS_OWNED_KEY"}

_LOG_GROUP = re.compile(r"arn:[^:\s]+:logs:[^:\s]*:[^:\s]*:log-group:[^:\s]+(:\*)?")


def logging(given: Mapping[str, Any] | None) -> JSON:
    """The logging configuration that is kept. Raises ServiceError InvalidLoggingConfiguration."""
    if given is None:
        return dict(LOGGING_OFF)
    kept = {**LOGGING_OFF, **given}
    destinations = kept.get("destinations", [])
    if kept["level"] == "OFF" and len(destinations) <= 1:
        return kept
    if len(destinations) != 1:
        raise _invalid("Logging", "Must specify exactly one Log Destination.")
    group = (destinations[0] or {}).get("cloudWatchLogsLogGroup", {}).get("logGroupArn")
    if group is None or not _LOG_GROUP.fullmatch(group):
        raise _invalid("Logging", "Log Destination not found.")
    return kept


def log_group(configuration: Mapping[str, Any]) -> str | None:
    """The name of the log group that a kept configuration writes to; None if it writes nowhere."""
    if configuration["level"] == "OFF" or not configuration.get("destinations"):
        return None
    arn: str = configuration["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    return arn.split(":")[6]


def tracing(given: Mapping[str, Any] | None) -> JSON:
    """The tracing configuration that is kept. It is kept and shown; nothing is traced."""
    return {**TRACING_OFF, **(given or {})}


def encryption(given: Mapping[str, Any] | None) -> JSON:
    """The encryption configuration that is kept. Raises ServiceError InvalidEncryptionConfiguration."""
    if given is None:
        return dict(OWNED_KEY)
    is_owned = given["type"] == "AWS_OWNED_KEY"
    if is_owned and len(given) > 1:
        raise _invalid("Encryption", "A KMS key and its reuse period belong to CUSTOMER_MANAGED_KMS_KEY.")
    if not is_owned and "kmsKeyId" not in given:
        raise _invalid("Encryption", "CUSTOMER_MANAGED_KMS_KEY requires a kmsKeyId.")
    return given if is_owned else {"kmsDataKeyReusePeriodSeconds": 300, **given}


def _invalid(what: str, why: str) -> ServiceError:
    return ServiceError(f"Invalid{what}Configuration", f"Invalid {what} Configuration: {why}")


def tags(given: Sequence[Mapping[str, str] | None]) -> dict[str, str]:
    """Tags by key. Raises ServiceError for one without a key, and for too many."""
    kept: dict[str, str] = {}
    for number, tag in enumerate(given, 1):
        if not tag or "key" not in tag:
            place = f"tags.{number}.member" + (".key" if tag is not None else "")
            raise validation(
                f"1 validation error detected: Value null at '{place}' failed to satisfy constraint: "
                "Member must not be null"
            )
        kept[tag["key"]] = tag.get("value", "")
    if len(kept) > TAGS_MAX:
        raise too_many_tags("")
    return kept


def too_many_tags(arn: str) -> ServiceError:
    return ServiceError(
        "TooManyTags", f"A resource may have {TAGS_MAX} tags", more={"resourceName": arn} if arn else {}
    )


def shown_tags(kept: Mapping[str, str]) -> list[JSON]:
    """Tags as they are listed."""
    return [{"key": key, "value": value} for key, value in kept.items()]
