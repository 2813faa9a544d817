"""detent."""
