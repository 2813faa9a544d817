from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Detent

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Greeter:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Role: !GetAtt Role.Arn}
  Hello:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machines/hello.asl.json
      DefinitionSubstitutions: {GreeterArn: !GetAtt Greeter.Arn}
  Quick:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      Definition:
        StartAt: Greet
        States:
          Greet: {Type: Task, Resource: !GetAtt Greeter.Arn, End: true}
"""
HELLO = (
    '{"StartAt": "Greet", "States": {"Greet": {"Type": "Task", "Resource": "${GreeterArn}", "End": true}}}'
)


@pytest.fixture
def template(folder: Path) -> Path:
    (folder / "machines").mkdir()
    (folder / "machines" / "hello.asl.json").write_text(HELLO)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder / "template.yaml"


def test_every_machine_of_a_template_is_checked(detent: Detent, template: Path) -> None:
    result = detent("validate", "template.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 file: valid\n")
    template.write_text(TEMPLATE.replace("End: true", "Next: Nowhere"))
    (template.parent / "machines" / "hello.asl.json").write_text(HELLO.replace('"End"', '"Ende"'))
    result = detent("validate", "template.yaml")
    assert result.exit_code == 1
    assert "template.yaml:19:68: error missing-target" in result.stdout
    assert "machines/hello.asl.json:1:" in result.stdout
    assert "missing-target" not in detent("validate", "template.yaml#Hello").stdout


def test_lint_knows_templates_too(detent: Detent, template: Path) -> None:
    result = detent("lint", "template.yaml", "--select", "task-without-timeout")
    assert "template.yaml:19:11: " in result.stdout
    assert "machines/hello.asl.json:1:33: " in result.stdout


def test_an_express_machine_is_judged_as_one(detent: Detent, template: Path) -> None:
    template.write_text(
        TEMPLATE.replace("!GetAtt Greeter.Arn, End", "'arn:aws:states:::ecs:runTask.sync', End")
    )
    assert "not-in-express" in detent("validate", "template.yaml").stdout


def test_one_machine_of_a_template_runs(detent: Detent, template: Path) -> None:
    run = ("--handlers", "handlers.py", "--store", "memory:", "--input", '{"name": "Ada"}')
    for name in ("Hello", "Quick"):
        result = detent("run", f"template.yaml#{name}", "--var", "Greeter.Arn=task:greet", *run)
        assert json.loads(result.stdout) == "Good morning, Ada!", result.stderr
    result = detent("run", "template.yaml", *run)
    assert result.exit_code == 2
    assert (
        "template.yaml holds 2 state machines; choose one:\n  template.yaml#Hello\n  template.yaml#Quick"
        in result.stderr
    )
    assert (
        "it has: template.yaml#Hello, template.yaml#Quick" in detent("run", "template.yaml#No", *run).stderr
    )
    assert "it is no template: leave the name out" in detent("run", "greet.yaml#No", *run).stderr


def test_a_machine_is_named_by_its_template(detent: Detent, template: Path) -> None:
    arguments = ("--var", "Greeter.Arn=task:greet", "--handlers", "handlers.py", "--output", "json")
    result = detent("run", "template.yaml#Hello", *arguments)
    assert ":execution:Hello:" in json.loads(result.stdout)["execution"]


def test_values_come_from_files_and_the_command_line_comes_first(detent: Detent, template: Path) -> None:
    (template.parent / "dev.yaml").write_text("Greeter.Arn: task:nobody\nUnused: [1]\n")
    run = (
        "run",
        "template.yaml#Hello",
        "--vars",
        "dev.yaml",
        "--store",
        "memory:",
        "--handlers",
        "handlers.py",
    )
    assert "nobody handles the Resource 'task:nobody'" in detent(*run).stderr
    assert detent(*run, "--var", "Greeter.Arn=task:greet").exit_code == 0
    (template.parent / "dev.yaml").write_text("- 1\n")
    assert "dev.yaml is no object of names and values" in detent(*run).stderr
    assert detent("validate", "greet.yaml", "--vars", "none.yaml").exit_code == 2


def test_a_file_that_a_template_names_must_be_there(detent: Detent, template: Path) -> None:
    (template.parent / "machines" / "hello.asl.json").unlink()
    result = detent("validate", "template.yaml")
    assert result.exit_code == 2
    assert "machines/hello.asl.json: error not-found" in result.stdout


def test_a_folder_of_cdk(detent: Detent, folder: Path) -> None:
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": HELLO}}
    (folder / "cdk.out" / "assembly").mkdir(parents=True)
    for name in ("App.template.json", "assembly/Inner.template.json"):
        (folder / "cdk.out" / name).write_text(json.dumps({"Resources": {"Order": machine}}))
    assert detent("validate", "cdk.out").exit_code == 0
    assert (
        "cdk.out/App.template.json#Order\n  cdk.out/assembly/Inner.template.json#Order"
        in detent("graph", "cdk.out").stderr
    )
    assert (
        detent("graph", "cdk.out/App.template.json#Order").stdout == "□ Greet  Task  ${GreeterArn}  (start)\n"
    )


def test_a_template_without_machines_says_so(detent: Detent, folder: Path) -> None:
    (folder / "bare.yaml").write_text(
        "AWSTemplateFormatVersion: x\nResources:\n  A: {Type: AWS::S3::Bucket}\n"
    )
    result = detent("validate", "bare.yaml")
    assert (result.exit_code, result.stderr) == (2, "detent: error: there is no state machine in bare.yaml\n")


def test_commas_and_comments_in_json_are_mended_on_request(detent: Detent, folder: Path) -> None:
    file = folder / "commas.json"
    text = '{"StartAt": "A", /* here */\n "States": {"A": {"Type": "Succeed",},},}\n'
    file.write_text(text.replace(" /* here */", ""))
    assert "3 findings fixed" in detent("lint", "--fix", "commas.json").stderr
    assert file.read_text() == '{"StartAt": "A",\n "States": {"A": {"Type": "Succeed"}}}\n'
    file.write_text(text)
    assert detent("lint", "--fix", "commas.json").exit_code == 1
    assert file.read_text() == text
    assert detent("lint", "--fix", "--unsafe-fixes", "commas.json").exit_code == 0
    assert detent("validate", "commas.json").exit_code == 0
