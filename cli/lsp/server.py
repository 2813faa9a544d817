"""The server: what the client asks, translated for :mod:`detent.schema.editor` and back.

Findings follow the typing after a short pause. A text that is no definition is left alone.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from detent.schema.diagnostics import Diagnostic, Severity
from detent.schema.document import DocumentError
from detent.schema.editor.actions import actions, span_of
from detent.schema.editor.completion import Completion, Kind, complete
from detent.schema.editor.hover import hover
from detent.schema.editor.names import RenameError, Symbol, definition, name_at, references, rename, symbols
from detent.schema.editor.source import Source, findings, is_ours, mended_source, read_source
from detent.schema.format import FormatError, format_text
from detent.schema.frontdoor import Lines
from detent.schema.lint.settings import DEFAULT, Settings
from detent.schema.validate import MachineType

from ..configuration import configuration
from ..exits import Refusal
from .handlers import handler_names
from .positions import Places

#: How long nothing may be typed before findings are looked for, in seconds.
PAUSE = 0.2

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_ICONS = {
    Kind.FIELD: types.CompletionItemKind.Property,
    Kind.STATE: types.CompletionItemKind.Class,
    Kind.VALUE: types.CompletionItemKind.EnumMember,
    Kind.ERROR: types.CompletionItemKind.Event,
    Kind.RESOURCE: types.CompletionItemKind.Module,
    Kind.VARIABLE: types.CompletionItemKind.Variable,
    Kind.MEMBER: types.CompletionItemKind.Field,
    Kind.FUNCTION: types.CompletionItemKind.Function,
}


class Opened:
    """One file that is open in the editor: its text now, and what was last known of it."""

    def __init__(self, server: Server, uri: str) -> None:
        document = server.workspace.get_text_document(uri)
        self.uri = uri
        self.version = document.version
        self.path = to_fs_path(uri)
        self.places = Places(document.source, server.workspace.position_encoding)
        self.text = document.source

    @property
    def name(self) -> str | None:
        """The name of the file, which says whether it is YAML or JSON."""
        return None if self.path is None else Path(self.path).name

    @property
    def is_yaml(self) -> bool:
        return self.text.lstrip()[:1] not in ("{", "[")

    def source(self) -> Source:
        """The text as it is."""
        return read_source(self.text, name=self.name)

    def mended(self) -> Source:
        """The text as far as it can be read."""
        return mended_source(self.text, name=self.name)


class Server(LanguageServer):
    """The state between requests: per file the findings last told, and the last text that could be read."""

    def __init__(self, config: str | None) -> None:
        super().__init__(
            "detent", version("detent"), text_document_sync_kind=types.TextDocumentSyncKind.Incremental
        )
        self.config = config
        self.told: dict[str, tuple[int | None, list[Diagnostic]]] = {}
        self.readable: dict[str, Source] = {}
        self.waiting: dict[str, asyncio.Task[None]] = {}
        self.complaint: str | None = None

    def opened(self, uri: str) -> Opened:
        return Opened(self, uri)

    def settings(self, path: str | None) -> tuple[Settings, MachineType]:
        """What the configuration nearest to a file says; what cannot be understood is told once."""
        file = path or "untitled"
        try:
            found = configuration(self.config, start=Path(file).absolute().parent)
            kind: MachineType = "EXPRESS" if found.machine_type(file) == "EXPRESS" else "STANDARD"
            return found.settings(file), kind
        except Refusal as refusal:
            if refusal.message != self.complaint:
                self.complaint = refusal.message
                self.window_show_message(types.ShowMessageParams(types.MessageType.Error, refusal.message))
            return DEFAULT, "STANDARD"

    def check(self, uri: str) -> None:
        """Look for findings, and tell them."""
        opened = self.opened(uri)
        found: list[Diagnostic] = []
        if is_ours(opened.text, opened.name):
            source = opened.source()
            if source.machines:
                self.readable[uri] = source
            settings, kind = self.settings(opened.path)
            found = findings(opened.text, name=opened.name, settings=settings, machine_type=kind)
        self.told[uri] = (opened.version, found)
        diagnostics = [_diagnostic(opened, each) for each in found]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, diagnostics, version=opened.version)
        )

    def check_soon(self, uri: str) -> None:
        """Look for findings once nothing has been typed for a moment."""
        self.forget(uri)
        self.waiting[uri] = asyncio.ensure_future(self._after_a_pause(uri))

    def forget(self, uri: str) -> None:
        """Do not look for findings any more."""
        if (before := self.waiting.pop(uri, None)) is not None:
            before.cancel()

    async def _after_a_pause(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        self.waiting.pop(uri, None)
        self.check(uri)


def serve(config: str | None) -> None:
    """Serve over stdin and stdout until the client ends it."""
    # The library closes what it is given. What is printed by accident must not get between the messages.
    with (
        os.fdopen(os.dup(sys.stdin.fileno()), "rb") as incoming,
        os.fdopen(os.dup(sys.stdout.fileno()), "wb") as outgoing,
        redirect_stdout(sys.stderr),
    ):
        build(config).start_io(incoming, outgoing)


def build(config: str | None = None) -> Server:
    """The server with its features."""
    server = Server(config)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(did_save)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(did_close)
    server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=[".", "$", '"', "'", ":", " "]),
    )(on_completion)
    server.feature(types.TEXT_DOCUMENT_HOVER)(on_hover)
    server.feature(types.TEXT_DOCUMENT_DEFINITION)(on_definition)
    server.feature(types.TEXT_DOCUMENT_REFERENCES)(on_references)
    server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)(on_prepare_rename)
    server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))(on_rename)
    server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)(on_symbols)
    server.feature(types.TEXT_DOCUMENT_FORMATTING)(on_formatting)
    server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )(on_code_action)
    return server


async def did_open(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    server.check(params.text_document.uri)


async def did_change(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    server.check_soon(params.text_document.uri)


async def did_save(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    server.forget(params.text_document.uri)
    server.check(params.text_document.uri)


async def did_close(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    server.forget(uri)
    server.told.pop(uri, None)
    server.readable.pop(uri, None)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def on_completion(server: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
    opened = server.opened(params.text_document.uri)
    found = complete(
        opened.text,
        opened.places.offset(params.position),
        name=opened.name,
        handlers=handler_names(Path(opened.path).parent) if opened.path is not None else (),
        before=server.readable.get(opened.uri),
    )
    return [_item(opened, each, index) for index, each in enumerate(found)]


def on_hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    opened = server.opened(params.text_document.uri)
    found = hover(opened.mended(), opened.places.offset(params.position))
    if found is None:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, found.text)
    return types.Hover(content, opened.places.range(found.span))


def on_definition(server: Server, params: types.DefinitionParams) -> types.Location | None:
    opened = server.opened(params.text_document.uri)
    span = definition(opened.mended(), opened.places.offset(params.position))
    return None if span is None else types.Location(opened.uri, opened.places.range(span))


def on_references(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    opened = server.opened(params.text_document.uri)
    offset = opened.places.offset(params.position)
    spans = references(opened.mended(), offset, declaration=params.context.include_declaration)
    return [types.Location(opened.uri, opened.places.range(span)) for span in spans]


def on_prepare_rename(server: Server, params: types.PrepareRenameParams) -> types.Range | None:
    opened = server.opened(params.text_document.uri)
    named = name_at(opened.source(), opened.places.offset(params.position))
    return None if named is None else opened.places.range(named.span)


def on_rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit:
    opened = server.opened(params.text_document.uri)
    try:
        edits = rename(opened.source(), opened.places.offset(params.position), params.new_name)
    except RenameError as error:
        raise JsonRpcInvalidParams(message=str(error)) from None
    return types.WorkspaceEdit(changes={opened.uri: [opened.places.edit(edit) for edit in edits]})


def on_symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    opened = server.opened(params.text_document.uri)
    return [_symbol(opened, each) for each in symbols(opened.mended())]


def on_formatting(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    opened = server.opened(params.text_document.uri)
    if opened.source().is_template or not is_ours(opened.text, opened.name):
        return None  # a template belongs to another tool
    try:
        text = format_text(opened.text, source=opened.name)
    except (DocumentError, FormatError):
        return None
    everything = types.Range(types.Position(0, 0), opened.places.position(len(opened.text)))
    return [types.TextEdit(everything, text)] if text != opened.text else []


def on_code_action(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    opened = server.opened(params.text_document.uri)
    told_of, found = server.told.get(opened.uri, (None, []))
    if told_of != opened.version:
        return []
    lines, wanted = Lines(opened.text), params.range
    here = [
        each for each in found if _touches(opened.places.range(span_of(opened.text, lines, each)), wanted)
    ]
    return [
        types.CodeAction(
            each.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[_diagnostic(opened, each.finding)],
            is_preferred=each.preferred,
            edit=types.WorkspaceEdit(changes={opened.uri: [opened.places.edit(edit) for edit in each.edits]}),
        )
        for each in actions(opened.text, here, is_yaml=opened.is_yaml)
    ]


def _touches(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _diagnostic(opened: Opened, found: Diagnostic) -> types.Diagnostic:
    lines = Lines(opened.text)
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(opened.uri, types.Range(place, place)), other.message
        )
        for other in found.related
        if other.position is not None
        for place in [opened.places.position(lines.offset(other.position))]
    ]
    return types.Diagnostic(
        range=opened.places.range(span_of(opened.text, lines, found)),
        message=f"{found.message}\n{found.hint}" if found.hint else found.message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="detent",
        related_information=related,
    )


def _item(opened: Opened, found: Completion, index: int) -> types.CompletionItem:
    about = types.MarkupContent(types.MarkupKind.Markdown, found.about) if found.about else None
    span = opened.places.position(found.start), opened.places.position(found.end)
    return types.CompletionItem(
        label=found.label,
        kind=_ICONS[found.kind],
        detail=found.detail or None,
        documentation=about,
        sort_text=f"{index:04}",
        filter_text=found.label,
        text_edit=types.TextEdit(types.Range(*span), found.text),
    )


def _symbol(opened: Opened, found: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=found.name or "?",
        detail=found.detail,
        kind=types.SymbolKind.Class,
        range=opened.places.range(found.span),
        selection_range=opened.places.range(found.name_span),
        children=[_symbol(opened, each) for each in found.inside],
    )
