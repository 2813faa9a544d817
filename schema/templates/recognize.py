"""Which tool a file belongs to, seen from its first keys; a definition by itself belongs to none."""

from __future__ import annotations

import re
from enum import StrEnum

from ..document import Document, DocumentError, read_document
from ..frontdoor import DEFINITION_LIMITS, TEMPLATE_LIMITS


class Tool(StrEnum):
    #: CloudFormation, and what becomes it: SAM and CDK.
    CLOUDFORMATION = "cloudformation"
    SERVERLESS = "serverless"
    #: ``terraform show -json``, of a plan or of a state.
    TERRAFORM = "terraform"


#: What a template has at its left margin in YAML, or anywhere in JSON; then a closer look is worth its time.
_YAML_KEYS = re.compile(
    r"^(?:AWSTemplateFormatVersion|Transform|Resources|stepFunctions)[ \t]*:", re.MULTILINE
)
_JSON_KEYS = re.compile(r'"(?:AWSTemplateFormatVersion|Resources|stepFunctions|terraform_version)"\s*:')


def read_template(text: str | bytes, *, source: str | None = None) -> tuple[Tool, Document] | None:
    """The template in a text, and whose it is; None for any other text, a definition among them.

    Raises DocumentError for a template that cannot be read.
    """
    characters = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    in_json = characters.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")
    if not (_JSON_KEYS if in_json else _YAML_KEYS).search(characters):
        return None
    limits = TEMPLATE_LIMITS if in_json else DEFINITION_LIMITS
    try:
        document = read_document(
            text, source=source, format="json" if in_json else "yaml", limits=limits, functions=True
        )
    except DocumentError:
        if in_json and '"States"' in characters and '"Resources"' not in characters:
            return None
        raise
    tool = _tool_of(document)
    return None if tool is None else (tool, document)


def _tool_of(document: Document) -> Tool | None:
    value = document.value
    if not isinstance(value, dict) or "States" in value:
        return None
    if isinstance(value.get("stepFunctions"), dict):
        return Tool.SERVERLESS
    if isinstance(value.get("Resources"), dict):
        return Tool.CLOUDFORMATION
    if "terraform_version" in value and ("planned_values" in value or "values" in value):
        return Tool.TERRAFORM
    return None
