"""The AWS protocol at ``/``: JSON 1.0, one operation for each ``X-Amz-Target``."""
