"""What an expression may see (defined by the core, which hands it out)."""

from ..core.bindings import Bindings, Evaluate

__all__ = ["Bindings", "Evaluate"]
