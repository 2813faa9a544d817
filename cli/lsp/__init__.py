"""``detent lsp``: the language server.

Here the Language Server Protocol is spoken, files are watched, and configuration is found. What is answered comes
from :mod:`detent.schema.editor`. Nothing is run and no handler is imported: their names are read from the sources.
"""
