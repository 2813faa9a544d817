"""The codes of everything that can be found when a definition is read and validated, each with its sentence.

They are stable: users silence them, documents explain them (:mod:`.explain`). The codes of rules stand with the
rules, in ``lint/``.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What can be wrong with the text, before there is a definition. (:mod:`.document`)
DOCUMENTS: Mapping[str, str] = {
    "not-found": "There is no such file.",
    "not-a-file": "The path is a directory.",
    "unreadable": "The file cannot be opened or read.",
    "empty": "There is nothing in the file, or nothing but comments.",
    "encoding": "The text is not UTF-8.",
    "binary": "The file holds binary data.",
    "too-large": "The text is larger than a definition may be.",
    "too-deep": "Arrays and objects are nested too deeply.",
    "too-many-values": "There are more values in the text than a definition may have.",
    "json-syntax": "The text is no JSON.",
    "yaml-syntax": "The text is no YAML.",
    "duplicate-key": "An object has the same key twice.",
    "number-range": "A number is too large to be kept exactly.",
    "not-a-number": "NaN or an infinity, which JSON does not have.",
    "bad-tag": "A YAML tag that does not fit the value behind it.",
    "unknown-tag": "A YAML tag that is no tag of JSON values.",
    "bad-merge": "A YAML merge of something that is no object.",
    "unknown-alias": "A YAML alias without its anchor.",
    "recursive-alias": "A YAML alias inside of what it stands for.",
    "too-many-aliases": "The text uses YAML aliases too often.",
    "complex-key": "A YAML key that is no text.",
    "multiple-documents": "There is more than one YAML document in the file.",
}

#: What can be wrong with a definition, by what it is about. (:mod:`.validate`)
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "Shape": {
        "not-a-machine": "The definition is not an object.",
        "missing-field": "A field that must be there is not.",
        "unknown-field": "A field that no state of this type, or no such object, has.",
        "wrong-value": "A field holds a value of the wrong type, or out of its bounds.",
        "empty-value": "A list or an object that needs at least one element has none.",
        "conflicting-fields": "Two fields of which only one may stand.",
        "name-too-long": "A state's name has more than 80 characters.",
    },
    "Graph": {
        "duplicate-name": "Two states of the machine have the same name.",
        "missing-target": "StartAt, Next or Default names a state that does not exist.",
        "target-out-of-scope": "StartAt, Next or Default names a state of another scope.",
        "missing-transition": "A state has neither Next nor End.",
        "next-with-end": "A state has both Next and End.",
        "unreachable-state": "No transition leads to a state.",
        "no-terminal-state": "No state of the scope ends it.",
    },
    "Query language": {
        "language-downgrade": "A state is JSONPath in a machine that is JSONata.",
        "wrong-query-language": "A field, or an expression, of the language that the state does not speak.",
        "jsonata-delimiter": "A text begins with '{%' or ends with '%}', but not both.",
    },
    "Expressions": {
        "bad-path": "A text that is no JSONPath, or no reference path where only such a path may stand.",
        "bad-expression": "The value of a key ending in '.$' is neither a path nor an intrinsic function.",
        "bad-intrinsic": "A text that is no call of an intrinsic function, or of one that may not stand here.",
        "wrong-arguments": "An intrinsic function is called with the wrong number of arguments and will fail.",
        "bad-jsonata": "A JSONata expression that cannot be parsed, or refers to what it cannot see.",
        "missing-function": "A JSONata expression calls a function that the service does not have.",
        "conflicting-keys": "A payload template has a key with and without '.$'.",
    },
    "Variables": {
        "bad-variable-name": "The name of a variable breaks the rules, or is reserved.",
        "outer-variable": "A state assigns a variable of an enclosing scope.",
    },
    "Errors": {
        "states-all-not-alone": "States.ALL stands beside other error names.",
        "states-all-not-last": "States.ALL stands in a retrier or catcher that is not the last.",
        "never-used": "A retrier, a catcher or an error name in it can have no effect.",
        "unknown-error-name": "An error name with the prefix of the language that the language does not have.",
        "reserved-error-name": "A Fail state raises an error with the prefix of the language.",
    },
    "Fields": {
        "bad-timestamp": "A text that is no RFC 3339 timestamp.",
        "bad-label": "The Label of a Map holds a character that may not stand there.",
        "heartbeat-too-long": "HeartbeatSeconds is not below TimeoutSeconds.",
        "not-one-test": "A choice rule has no test, or more than one.",
    },
    "Resources": {
        "bad-resource": "A Resource that the service refuses.",
        "unknown-resource": "A Resource that neither the service nor detent is known to call.",
        "not-in-express": "Something that an EXPRESS machine cannot do.",
    },
}

#: What stops ``detent run`` although the definition is valid.
BEFORE_A_RUN: Mapping[str, str] = {
    "unfilled-placeholder": "A placeholder of the definition is not filled in.",
    "unhandled-resource": "Nobody handles the Resource of a Task.",
}

#: What can be wrong in a template around a definition. (:mod:`.templates`)
TEMPLATES: Mapping[str, str] = {
    "missing-definition": "A state machine of a template has no definition.",
    "unread-definition": "The definition of a state machine in a template is not here to be read.",
    "unknown-substitution": "A placeholder that the template does not fill in.",
}

#: Every code of the validator.
CODES: Mapping[str, str] = {code: text for family in FAMILIES.values() for code, text in family.items()}

#: Codes whose findings are warnings.
WARNINGS = frozenset(
    {
        "missing-function",
        "never-used",
        "reserved-error-name",
        "unknown-error-name",
        "unknown-resource",
        "unknown-substitution",
        "unread-definition",
        "wrong-arguments",
    }
)
