"""The shape of the context object (language, section 9)."""

from __future__ import annotations

from ..outline import State
from .shapes import NUMBER, STRING, UNKNOWN, Member, Shape, having, object_of

_EXECUTION = having(
    Id=STRING,
    Input=UNKNOWN,
    Name=STRING,
    RoleArn=STRING,
    StartTime=STRING,
    RedriveCount=NUMBER,
    RedriveTime=STRING,
)
_MACHINE = having(Id=STRING, Name=STRING)
_STATE = having(Name=STRING, EnteredTime=STRING, RetryCount=NUMBER)
_TASK = having(Token=STRING)
_ALWAYS = {"Execution": Member(_EXECUTION), "StateMachine": Member(_MACHINE), "State": Member(_STATE)}


def context_shape(state: State, item: Shape | None = None) -> Shape:
    """What ``$$`` is in a state; ``item`` is the item of a Map whose ItemSelector is evaluated.

    Members that exist in some executions only count as there, and the token of a task whose Resource is not
    known may be.
    """
    members = dict(_ALWAYS)
    if state.type == "Task":
        members["Task"] = Member(_TASK)
    if item is not None:
        element = having(Index=NUMBER, Value=item, Key=STRING, Source=STRING)
        members["Map"] = Member(having(Item=element))
    return object_of(members)
