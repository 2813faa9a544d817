"""The page that shows the OpenAPI document: three files, nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from aiohttp import web

from ...exchange import Exchange

#: Nothing but what this server serves, and nothing inside the page itself.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_FILES = {
    "/docs": ("docs.html", "text/html"),
    "/docs/docs.js": ("docs.js", "text/javascript"),
    "/docs/docs.css": ("docs.css", "text/css"),
}


async def show(exchange: Exchange) -> web.Response:
    """One of the page's files."""
    name, media = _FILES[exchange.request.rel_url.raw_path]
    text = (files(__name__) / name).read_text("utf-8")
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, content_type=media, headers=headers)


PATHS = tuple(_FILES)
