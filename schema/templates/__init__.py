"""State machines inside the files of deployment tools: CloudFormation, SAM, CDK, Serverless Framework, Terraform.

:func:`read_template` recognizes such a file, and :func:`machines_in` finds the state machines in it: each with its
definition, which knows its places in the template itself, or with the path of the file that holds it. Nothing is
deployed, and no file is opened here. What only the tool can know stays a placeholder, ``${Name}``.
"""

from .find import machines_in
from .machine import Machine
from .recognize import Tool, read_template

__all__ = ["Machine", "Tool", "machines_in", "read_template"]
