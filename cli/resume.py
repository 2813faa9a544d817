"""``detent resume``: go on with what was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit, Refusal, say
from .options import SETTINGS, running
from .outcome import OutputFormat

if TYPE_CHECKING:
    from detent.core.values import JSON
    from detent.runtime.handlers.registry import Registry

    from .session import Session


@click.command(context_settings=SETTINGS)
@click.argument("execution", required=False)
@running
def resume(
    execution: str | None,
    handlers: tuple[str, ...],
    store: str | None,
    output: OutputFormat,
    log: bool,
    paths: Literal["detent", "jsonpath-ng"],
) -> int:
    """Go on with EXECUTION, a name or an ARN, or with every execution that was interrupted.

    Output and exit code are those of `run`; of several executions the first that did not succeed decides.
    An execution with a task that nobody handles is named and left as it is (exit code 2).
    """
    from detent.runtime.find import DEFAULT_STORE, store_exists

    from .run import follow, resume_command
    from .session import Settings, registry_of
    from .view import view_for

    url = store or DEFAULT_STORE
    if not store_exists(url):
        raise Refusal(f"there is nothing to resume: no store at {url}", "name the store with --store")
    registry = registry_of(handlers)
    errand = _Errand(execution, registry)
    again = resume_command(execution, store, handlers)
    code = follow(Settings(url, registry, paths), errand.begin, view_for(log), output, again)
    for name, reasons in errand.left.items():
        say(f"{name} was left as it is: {'; '.join(reasons)}")
    if errand.nothing:
        click.echo("detent: nothing to resume: no execution was interrupted", err=True)
    return code or (Exit.USAGE if errand.left else Exit.SUCCEEDED)


@dataclass(slots=True)
class _Errand:
    """What is asked for, and what could not be gone on with: names, and why."""

    execution: str | None
    registry: Registry
    left: dict[str, list[str]] = field(default_factory=dict)
    nothing: bool = False

    async def begin(self, session: Session) -> Sequence[str]:
        """Go on with what was asked for; the ids of the executions to wait for. Raises Refusal."""
        chosen = await self._chosen(session)
        self.nothing = not chosen
        return [id for id, digest in chosen if await self._go_on(session, id, digest)]

    async def _chosen(self, session: Session) -> list[tuple[str, str]]:
        from detent.runtime.find import interrupted, named

        store = session.engine.store
        if self.execution is None:
            return [(one.record.id, one.record.digest) for one in await interrupted(store)]
        found = await named(store, self.execution)
        if not found:
            raise Refusal(f"there is no execution {self.execution!r} in this store")
        if len(found) > 1:
            ids = "\n  ".join(one.record.id for one in found)
            raise Refusal(f"{len(found)} executions are named {self.execution!r}; choose one:\n  {ids}")
        return [(found[0].record.id, found[0].record.digest)]

    async def _go_on(self, session: Session, id: str, digest: str) -> bool:
        from detent.core.codec import decode_log
        from detent.core.values import decode

        from .definition import unhandled
        from .progress import Progress

        engine = session.engine
        log = await engine.store.load(id)
        if log.head.ended_at is None:
            definition: JSON = decode((await engine.store.machine(digest)).definition)
            missing = list(unhandled(definition, self.registry))
            if missing:
                self.left[log.record.name] = [
                    f"nobody handles {resource!r} of the state {state!r} ({reason})"
                    for _, state, resource, reason in missing
                ]
                return False
        progress = Progress(await engine.machines.get(digest))
        progress.fold(decode_log((segment.after, segment.control) for segment in log.segments))
        session.watch(id, progress)
        state = await engine.resume(id)
        if state.ended_at is None and id not in engine.running():
            self.left[log.record.name] = ["it could not be taken over"]
            return False
        return True
