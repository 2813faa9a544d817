"""The codes of everything the validator can find. They are stable: users silence them, documents explain them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # Shape
        "not-a-machine": "The definition is not an object.",
        "missing-field": "A field that must be there is not.",
        "unknown-field": "A field that no state of this type, or no such object, has.",
        "wrong-value": "A field holds a value of the wrong type, or out of its bounds.",
        "empty-value": "A list or an object that needs at least one element has none.",
        "conflicting-fields": "Two fields of which only one may stand.",
        "name-too-long": "A state's name has more than 80 characters.",
        # Graph
        "duplicate-name": "Two states of the machine have the same name.",
        "missing-target": "StartAt, Next or Default names a state that does not exist.",
        "target-out-of-scope": "StartAt, Next or Default names a state of another scope.",
        "missing-transition": "A state has neither Next nor End.",
        "next-with-end": "A state has both Next and End.",
        "unreachable-state": "No transition leads to a state.",
        "no-terminal-state": "No state of the scope ends it.",
        # Query language
        "language-downgrade": "A state is JSONPath in a machine that is JSONata.",
        "wrong-query-language": "A field, or an expression, of the language that the state does not speak.",
        "jsonata-delimiter": "A text begins with '{%' or ends with '%}', but not both.",
        # Expressions
        "bad-path": "A text that is no JSONPath, or no reference path where only such a path may stand.",
        "bad-expression": "The value of a key ending in '.$' is neither a path nor an intrinsic function.",
        "bad-intrinsic": "A text that is no call of an intrinsic function, or of one that may not stand here.",
        "wrong-arguments": "An intrinsic function is called with the wrong number of arguments and will fail.",
        "bad-jsonata": "A JSONata expression that cannot be parsed, or refers to what it cannot see.",
        "missing-function": "A JSONata expression calls a function that the service does not have.",
        "conflicting-keys": "A payload template has a key with and without '.$'.",
        # Variables
        "bad-variable-name": "The name of a variable breaks the rules, or is reserved.",
        "outer-variable": "A state assigns a variable of an enclosing scope.",
        # Errors
        "states-all-not-alone": "States.ALL stands beside other error names.",
        "states-all-not-last": "States.ALL stands in a retrier or catcher that is not the last.",
        "never-used": "A retrier, a catcher or an error name in it can have no effect.",
        "unknown-error-name": "An error name with the prefix of the language that the language does not have.",
        "reserved-error-name": "A Fail state raises an error with the prefix of the language.",
        # Fields
        "bad-timestamp": "A text that is no RFC 3339 timestamp.",
        "bad-label": "The Label of a Map holds a character that may not stand there.",
        "heartbeat-too-long": "HeartbeatSeconds is not below TimeoutSeconds.",
        "not-one-test": "A choice rule has no test, or more than one.",
        # Resources
        "bad-resource": "A Resource that the service refuses.",
        "unknown-resource": "A Resource that neither the service nor detent is known to call.",
        "not-in-express": "Something that an EXPRESS machine cannot do.",
    }
)
