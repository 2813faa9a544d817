"""What an editor wants to know of a definition: one JSON Schema, and the answers of the language server.

Every function here takes a text, or a :class:`~detent.schema.editor.source.Source` made of it, and a place in it,
and answers plain values: the protocol is spoken in ``cli/lsp/``. A text that is being typed is never too broken
for an answer; it may be an empty one.
"""
