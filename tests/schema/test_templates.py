"""State machines inside templates: found wherever the tools keep them, with their places in the template."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.values import JSON
from detent.schema.document import Document, DocumentError, read_document
from detent.schema.templates import Machine, machines_in, read_template
from detent.schema.validate import validate


def found(text: str, source: str = "template.yaml") -> dict[str, Machine]:
    template = read_template(text, source=source)
    assert template is not None
    return {machine.name: machine for machine in machines_in(*template)}


def one(properties: str) -> Machine:
    """The machine of a CloudFormation template, from the lines of its properties."""
    lines = "".join(f"      {line}\n" for line in properties.splitlines())
    text = f"Resources:\n  Order:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n{lines}"
    (machine,) = found(text).values()
    return machine


def definition(machine: Machine) -> Document:
    assert machine.document is not None, machine.findings
    return machine.document


def places(machine: Machine) -> list[tuple[str, int, int]]:
    """Code, line and column of everything that is wrong with a definition."""
    findings = validate(definition(machine))
    return [(one.code, one.position.line, one.position.column) for one in findings if one.position]


@pytest.mark.parametrize(
    "text",
    [
        "StartAt: A\nStates:\n  A: {Type: Succeed}\n",
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"Resources": {}}, "End": true}}}',
        "StartAt: A\nStates: {}\nResources: {}\n",
        "",
        "- a\n",
    ],
)
def test_what_is_no_template(text: str) -> None:
    assert read_template(text) is None


def test_an_inline_definition_with_functions_becomes_one_with_placeholders() -> None:
    machine = one(
        "Type: EXPRESS\n"
        "Definition:\n"
        "  StartAt: !Ref First\n"
        "  Comment: !Join ['-', [a, !Ref B, 3, !ImportValue c]]\n"
        "  States:\n"
        "    A: {Type: Task, Resource: !GetAtt Worker.Arn, Next: !Sub 'x-${Y}'}\n"
        "    B: {Type: Task, Resource: {'Fn::GetAtt': [Worker, Arn]}, Next: !Sub ['${N}-${M}', {N: !Ref Other}]}\n"
    )
    assert machine.machine_type == "EXPRESS"
    assert definition(machine).value == {
        "StartAt": "${First}",
        "Comment": "a-${B}-3-${Unknown}",
        "States": {
            "A": {"Type": "Task", "Resource": "${Worker.Arn}", "Next": "x-${Y}"},
            "B": {"Type": "Task", "Resource": "${Worker.Arn}", "Next": "${Other}-${M}"},
        },
    }


def test_findings_in_an_inline_definition_stand_in_the_template() -> None:
    machine = one("Definition:\n  StartAt: A\n  States:\n    A: {Type: Pass, Next: B}\n")
    assert places(machine) == [("no-terminal-state", 7, 9), ("missing-target", 8, 33)]


STYLES = {
    "literal": "DefinitionString: !Sub |\n  {0}\n",
    "folded": "DefinitionString: >-\n  {0}\n",
    "single": "DefinitionString: !Sub '{0}'\n",
    "plain function": "DefinitionString:\n  Fn::Sub: '{0}'\n",
    "with names": "DefinitionString: !Sub\n  - '{0}'\n  - {{Unused: 1}}\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_findings_in_a_definition_string_stand_in_the_template(style: str) -> None:
    text = '{"StartAt": "A",\n   "States": {"A": {"Type": "Pass", "Next": "B"}}}'
    machine = one(
        STYLES[style].format(text.replace("\n", "\n  ") if style in ("literal", "folded") else text)
    )
    template = definition(machine).text.splitlines()
    for code, line, column in places(machine):
        written = template[line - 1][column - 1 :]
        assert written.startswith('"B"' if code == "missing-target" else '"States"')


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=9
    )
)
def test_every_place_of_a_string_in_json_is_found_in_its_spelling(value: JSON) -> None:
    inner = json.dumps({"StartAt": value}, indent=1)
    properties = {"DefinitionString": inner}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    for ascii_only in (True, False):
        text = json.dumps({"Resources": {"Order": machine}}, ensure_ascii=ascii_only)
        document = definition(found(text)["Order"])
        plain = read_document(inner, format="json")
        assert document.value == plain.value
        pointers: list[tuple[str, ...]] = [()]
        while pointers:
            pointer = pointers.pop()
            at, there = document.position(pointer), plain.position(pointer)
            assert at is not None
            assert there is not None
            offset = sum(len(line) + 1 for line in inner.splitlines()[: there.line - 1]) + there.column - 1
            if inner[offset] not in '"\\':
                assert text[at.column - 1] == inner[offset]
            else:
                assert text[at.column - 1 :].startswith('\\"')
            part = plain.value
            for step in pointer:
                part = part[step]
            if isinstance(part, dict):
                pointers += [(*pointer, key) for key in part]


def test_a_text_that_is_joined_is_read_as_one_and_told_by_its_pieces() -> None:
    machine = one(
        "DefinitionString:\n"
        "  Fn::Join:\n"
        "    - ''\n"
        '    - - \'{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"\'\n'
        "      - !GetAtt Worker.Arn\n"
        '      - \'","Next":"B"}}}\'\n'
    )
    assert definition(machine).value["States"]["A"] == {
        "Type": "Task",
        "Resource": "${Worker.Arn}",
        "Next": "B",
    }
    assert ("missing-target", 10, 25) in places(machine)


def test_a_definition_that_cannot_be_read_is_told_in_the_template() -> None:
    machine = one('DefinitionString: |\n  {"StartAt": "A",\n   "States": {},}\n')
    assert machine.document is None
    assert [str(finding) for finding in machine.findings] == [
        "template.yaml:7:22: error json-syntax: a comma before '}' (remove the comma)"
    ]


def test_a_definition_in_a_file_is_named_with_what_is_filled_in() -> None:
    machine = one(
        "DefinitionUri: sm/order.asl.json\n"
        "DefinitionSubstitutions: {Worker: !GetAtt Worker.Arn, Delay: 5, Old: !If [A, b, c], Wait: '60'}\n"
    )
    assert machine.file == "sm/order.asl.json"
    text = '{"a": "${Worker}", "b": ${Delay}, "c": "${Old}", "d": ${Wait}, "e": "${New}"}'
    document = read_document(text, source="order.asl.json")
    assert machine.filled(document, {}).value == {
        "a": "${Worker.Arn}",
        "b": 5,
        "c": "${Old}",
        "d": 60,
        "e": "${New}",
    }
    assert machine.filled(document, {"Worker.Arn": "task:w", "Delay": "7"}).value["a"] == "task:w"
    assert machine.filled(document, {"Worker.Arn": "task:w", "Delay": "7"}).value["b"] == 7
    (warning,) = machine.unknown_substitutions(document)
    assert (warning.code, warning.message) == (
        "unknown-substitution",
        "${New} is not among the DefinitionSubstitutions of Order",
    )


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ("RoleArn: x\n", "missing-definition"),
        ("DefinitionUri: s3://bucket/key\n", "unread-definition"),
        ("DefinitionUri: {Bucket: b, Key: k}\n", "unread-definition"),
        ("DefinitionS3Location: {Bucket: b, Key: k}\n", "unread-definition"),
        ("DefinitionString: !ImportValue x\n", "unread-definition"),
        ("Definition: !FindInMap [a, b, c]\n", "unread-definition"),
    ],
)
def test_a_definition_that_is_not_here(properties: str, code: str) -> None:
    machine = one(properties)
    assert (machine.document, machine.file) == (None, None)
    assert [finding.code for finding in machine.findings] == [code]


def test_what_cdk_will_upload_lies_beside_its_template() -> None:
    key = "0" * 64 + ".json"
    machine = one(
        f"DefinitionS3Location:\n  Bucket: {{'Fn::Sub': 'assets-${{AWS::Region}}'}}\n  Key: {key}\n"
    )
    assert machine.file == f"asset.{key}"


def test_an_included_file() -> None:
    machine = one(
        "Definition:\n  Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: ./order.yaml}}\n"
    )
    assert machine.file == "./order.yaml"


def test_serverless() -> None:
    machines = found(
        "service: orders\n"
        "stepFunctions:\n"
        "  stateMachines:\n"
        "    order:\n"
        "      type: EXPRESS\n"
        "      definition:\n"
        "        StartAt: A\n"
        "        States:\n"
        "          A: {Type: Task, Resource: {Fn::GetAtt: [worker, Arn]}, Next: B}\n"
        "    other: {definition: '${file(machines/other.yml)}'}\n"
        "    third: {definition: '${self:custom.third}'}\n",
        source="serverless.yml",
    )
    assert list(machines) == ["order", "other", "third"]
    assert machines["order"].machine_type == "EXPRESS"
    assert ("missing-target", 9, 72) in places(machines["order"])
    assert machines["other"].file == "machines/other.yml"
    assert [finding.code for finding in machines["third"].findings] == ["unread-definition"]


def test_terraform() -> None:
    inner = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    machine = {
        "address": "aws_sfn_state_machine.a",
        "type": "aws_sfn_state_machine",
        "values": {"definition": inner},
    }
    later = {
        "address": "module.m.aws_sfn_state_machine.b",
        "type": "aws_sfn_state_machine",
        "values": {"type": "EXPRESS"},
    }
    other = {"address": "x", "type": "aws_s3_bucket", "values": {}}
    root = {"resources": [other, machine], "child_modules": [{"resources": [later]}]}
    for values in ("planned_values", "values"):
        text = json.dumps(
            {"format_version": "1.2", "terraform_version": "1.9.0", values: {"root_module": root}}
        )
        machines = found(text, source="plan.json")
        assert list(machines) == ["aws_sfn_state_machine.a", "module.m.aws_sfn_state_machine.b"]
        assert "missing-target" in {code for code, *_ in places(machines["aws_sfn_state_machine.a"])}
        assert machines["module.m.aws_sfn_state_machine.b"].machine_type == "EXPRESS"
        assert [one.code for one in machines["module.m.aws_sfn_state_machine.b"].findings] == [
            "unread-definition"
        ]


def test_a_template_that_cannot_be_read_says_why() -> None:
    with pytest.raises(DocumentError, match=r"template\.yaml:3:3: error duplicate-key"):
        read_template("Resources:\n  A: {Type: X}\n  A: {Type: Y}\n", source="template.yaml")


def test_functions_nested_without_end_are_too_deep_before_anything_overflows() -> None:
    nested = "!Join ['', [" * 150 + "a" + "]]" * 150
    with pytest.raises(DocumentError, match="too-deep"):
        read_template(f"Resources:\n  A: {nested}\n")


@pytest.mark.parametrize(
    "resource", ["null", "5", "[]", "{Type: 5}", "{Type: AWS::StepFunctions::StateMachine, Properties: 3}"]
)
def test_resources_of_the_wrong_shape_do_no_harm(resource: str) -> None:
    found(f"Resources:\n  A: {resource}\n")
