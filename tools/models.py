"""Write the shapes of what services answer, which mocked results are held against.

``python tools/models.py`` needs botocore, whose service models (Apache License 2.0) it reads. What is kept of
each is the answers of its operations, their members spelled as the service spells them in results of tasks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botocore.loaders import Loader  # type: ignore[import-untyped]

MODELS = Path(__file__).parent.parent / "interpreter" / "teststate" / "models"

#: The services of the optimised integrations, and those that workflows call by aws-sdk most.
SERVICES = (
    "athena", "batch", "bedrock-runtime", "cloudwatch", "codebuild", "databrew", "dynamodb", "ecs", "eks", "emr",
    "emr-containers", "emr-serverless", "events", "glue", "kinesis", "kms", "lambda", "logs", "mediaconvert",
    "rekognition", "s3", "sagemaker", "secretsmanager", "sesv2", "sns", "sqs", "ssm", "stepfunctions", "sts",
    "textract",
)  # fmt: skip

#: Of services whose answers are many, the operations that a Task can call by name.
ONLY = {"sagemaker": "Create"}

#: Bounds that the service was seen to hold, where its model says otherwise.
SEEN: dict[tuple[str, str], dict[str, Any]] = {("lambda", "MemorySize"): {"max": 10240}}

_SCALARS = {
    "string": "string", "character": "string", "timestamp": "string", "blob": "string", "boolean": "boolean",
    "integer": "number", "long": "number", "float": "number", "double": "number", "bigdecimal": "number",
    "biginteger": "number",
}  # fmt: skip


def main() -> None:
    MODELS.mkdir(exist_ok=True)
    loader = Loader()
    for service in SERVICES:
        model = loader.load_service_model(service, "service-2")
        for (owner, shape), bounds in SEEN.items():
            if owner == service:
                model["shapes"][shape] |= bounds
        name = model["metadata"]["serviceId"].replace(" ", "").lower()
        text = json.dumps(_answers(model, ONLY.get(service, "")), separators=(",", ":"), sort_keys=True)
        (MODELS / f"{name}.json").write_text(text.replace('},"', '},\n"') + "\n")


def _answers(model: dict[str, Any], prefix: str) -> dict[str, Any]:
    shapes: dict[str, Any] = {}
    operations = {
        name: _kept(model["shapes"], operation["output"]["shape"], shapes)
        for name, operation in model["operations"].items()
        if "output" in operation and name.startswith(prefix)
    }
    return {"operations": operations, "shapes": shapes}


def _kept(source: dict[str, Any], name: str, shapes: dict[str, Any]) -> str:
    """How a shape is referred to: by its kind if that is all there is to it, otherwise by its name."""
    shape = source[name]
    kind = shape["type"]
    if shape.get("document"):
        return "any"
    bounds = {key: shape[key] for key in ("min", "max", "enum") if key in shape}
    if kind in _SCALARS and not bounds:
        return _SCALARS[kind]
    reference = f"#{name}"
    if reference in shapes:
        return reference
    if kind in _SCALARS:
        shapes[reference] = {"kind": _SCALARS[kind], **bounds}
        return reference
    kept = shapes[reference] = {"kind": kind}
    if kind == "structure":
        if shape.get("required"):
            kept["required"] = [_spelled(member) for member in shape["required"]]
        kept["members"] = {
            _spelled(member): _kept(source, part["shape"], shapes)
            for member, part in shape.get("members", {}).items()
        }
    else:
        kept["of"] = _kept(source, shape["member" if kind == "list" else "value"]["shape"], shapes)
    return reference


def _spelled(member: str) -> str:
    return member[:1].upper() + member[1:]


if __name__ == "__main__":
    main()
