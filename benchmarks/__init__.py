"""Measurements of detent beside the limit that the same machine sets in the same minute."""
