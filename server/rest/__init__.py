"""The REST API below ``/v1``: typed operations, and the OpenAPI document that is made of them."""
