"""What tasks answer: the shapes of the service's integrations (resources, section 4), and what authors described.

Only integrations whose answer is known member by member are listed; the answer of any other task is unknown.
Members that stand in some answers only count as there.
"""

from __future__ import annotations

from collections.abc import Mapping

from detent.core.resources import integration

from .shapes import ARRAY, NUMBER, OBJECT, STRING, UNKNOWN, Shape, having

_SDK = {"SdkHttpMetadata": OBJECT, "SdkResponseMetadata": OBJECT}
_HTTP = having(Headers=OBJECT, ResponseBody=UNKNOWN, StatusCode=NUMBER, StatusText=STRING)
_ITEM = having(
    Attributes=UNKNOWN,
    ConsumedCapacity=OBJECT,
    ItemCollectionMetrics=OBJECT,
    **_SDK,
)

#: (service, action) -> the answer, when it is called without waiting.
_ANSWERS: Mapping[tuple[str, str], Shape] = {
    ("lambda", "invoke"): having(
        ExecutedVersion=STRING,
        FunctionError=STRING,
        LogResult=STRING,
        Payload=UNKNOWN,
        StatusCode=NUMBER,
        **_SDK,
    ),
    ("sqs", "sendMessage"): having(
        MD5OfMessageAttributes=STRING,
        MD5OfMessageBody=STRING,
        MD5OfMessageSystemAttributes=STRING,
        MessageId=STRING,
        SequenceNumber=STRING,
        **_SDK,
    ),
    ("sns", "publish"): having(MessageId=STRING, SequenceNumber=STRING, **_SDK),
    ("events", "putEvents"): having(Entries=ARRAY, FailedEntryCount=NUMBER, **_SDK),
    ("dynamodb", "getItem"): having(Item=OBJECT, ConsumedCapacity=OBJECT, **_SDK),
    ("dynamodb", "putItem"): _ITEM,
    ("dynamodb", "updateItem"): _ITEM,
    ("dynamodb", "deleteItem"): _ITEM,
    ("states", "startExecution"): having(ExecutionArn=STRING, StartDate=UNKNOWN, **_SDK),
    ("apigateway", "invoke"): _HTTP,
    ("http", "invoke"): _HTTP,
}

#: What a catcher puts in the place of a result.
ERROR_OUTPUT = having(Error=STRING, Cause=STRING)


def answer_of(resource: object, described: Mapping[str, Shape]) -> Shape:
    """What a task answers; ``described`` are the shapes its author gave, by Resource."""
    if not isinstance(resource, str):
        return UNKNOWN
    if resource in described:
        return described[resource]
    called = integration(resource)
    return _ANSWERS.get(called, UNKNOWN) if called is not None else UNKNOWN
