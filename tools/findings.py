"""Write docs/findings.md from the explanations that are shipped with detent."""

from __future__ import annotations

from pathlib import Path

from detent.schema.explain import page

TARGET = Path(__file__).resolve().parent.parent / "docs" / "findings.md"

if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
