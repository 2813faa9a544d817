"""Write server/aws/shapes.json: what each operation of the service takes, from the service model in botocore.

    .venv/bin/python tools/aws_shapes.py

The facts in it (names, types, bounds, patterns) are those of botocore's model, which is under the Apache License 2.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botocore import __version__  # type: ignore[import-untyped]
from botocore.loaders import Loader  # type: ignore[import-untyped]

TARGET = Path(__file__).parent.parent / "server" / "aws" / "shapes.json"
#: Where a recorded answer of the service contradicts its model: an empty definition is read, and found wanting.
OTHERWISE = {"Definition": {"min": 0}}
FACTS = ("min", "max", "pattern", "enum", "sensitive", "required")


def main() -> None:
    model = Loader().load_service_model("stepfunctions", "service-2")
    used: dict[str, Any] = {}
    for operation in model["operations"].values():
        gather(operation["input"]["shape"], model["shapes"], used)
    operations = {
        name: operation["input"]["shape"] for name, operation in sorted(model["operations"].items())
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(shape)}" for name, shape in sorted(used.items())]
    source = f"botocore {__version__}, {model['metadata']['uid']}"
    head = json.dumps({"source": source, "operations": operations}, indent=1)[:-2]
    TARGET.write_text(f'{head},\n "shapes": {{\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8")


def gather(name: str, shapes: dict[str, Any], used: dict[str, Any]) -> None:
    """A shape and those it is made of."""
    if name in used:
        return
    shape = shapes[name]
    used[name] = {"type": shape["type"]} | {fact: shape[fact] for fact in FACTS if fact in shape}
    used[name] |= OTHERWISE.get(name, {})
    if "members" in shape:
        used[name]["members"] = {member: ref["shape"] for member, ref in shape["members"].items()}
        for ref in shape["members"].values():
            gather(ref["shape"], shapes, used)
    if "member" in shape:
        used[name]["member"] = shape["member"]["shape"]
        gather(shape["member"]["shape"], shapes, used)


if __name__ == "__main__":
    main()
