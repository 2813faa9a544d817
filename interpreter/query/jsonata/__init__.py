"""JSONata."""
