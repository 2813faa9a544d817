"""Letters in a Postgres store: sent to executions that exist, read by who holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .base import Letter, Message, Outcome
from .migrate import queries
from .postgres_pool import Transaction
from .postgres_text import plain, text

_SQL = queries("postgres")


def columns(rows: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Rows as the arrays that a statement takes."""
    return map(list, zip(*rows, strict=True))


async def known(transaction: Transaction, ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Key and fence of those executions that exist."""
    wanted = {text(id) for id in ids}
    if not wanted:
        return {}
    rows = await transaction.rows(_SQL["known"], list(wanted))
    return {plain(id): (key, fence) for id, key, fence in rows}


async def send(transaction: Transaction, letters: Sequence[Letter]) -> list[Outcome]:
    """See :meth:`~detent.store.base.Store.send`."""
    there = await known(transaction, (letter.execution for letter in letters))
    rows = [
        (there[letter.execution][0], text(letter.dedupe), letter.body)
        for letter in letters
        if letter.execution in there
    ]
    accepted = set()
    if rows:
        accepted = {tuple(row) for row in await transaction.rows(_SQL["send"], *columns(rows))}
    outcomes = []
    for letter in letters:
        if letter.execution not in there:
            outcomes.append(Outcome.MISSING)
            continue
        sent = (there[letter.execution][0], text(letter.dedupe))
        outcomes.append(Outcome.DONE if sent in accepted else Outcome.EXISTS)
        accepted.discard(sent)
    return outcomes


async def inbox(transaction: Transaction, owner: str, after: int, limit: int) -> list[Message]:
    """See :meth:`~detent.store.base.Store.inbox`."""
    rows = await transaction.rows(_SQL["inbox"], after, text(owner), limit)
    return [Message(number, plain(execution), body) for number, execution, body in rows]


async def unread(transaction: Transaction, execution: str) -> int:
    """See :meth:`~detent.store.base.Store.unread`."""
    ((number,),) = await transaction.rows(_SQL["unread"], text(execution))
    return int(number)
