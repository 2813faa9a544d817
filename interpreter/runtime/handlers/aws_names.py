"""Which service of AWS a resource calls, and how that service's errors are named (resources, section 4).

Optimised integrations speak as the first generation of the Java SDK does, ``aws-sdk:*`` as the second.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...core.resources import integration
from .metadata import refused

_AWS_SDK = "aws-sdk:"
_TOKEN = ".waitForTaskToken"
_EXCEPTION, _FAULT = "Exception", "Fault"

#: Optimised integrations: the prefix of an error, and what the SDK calls the service.
_OPTIMISED: Mapping[str, tuple[str, str]] = {
    "athena": ("Athena", "AmazonAthena"),
    "batch": ("Batch", "AWSBatch"),
    "codebuild": ("CodeBuild", "AWSCodeBuild"),
    "databrew": ("DataBrew", "AWSGlueDataBrew"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBv2"),
    "ecs": ("ECS", "AmazonECS"),
    "events": ("EventBridge", "AmazonEventBridge"),
    "glue": ("Glue", "AWSGlue"),
    "mediaconvert": ("MediaConvert", "AWSMediaConvert"),
    "sagemaker": ("SageMaker", "AmazonSageMaker"),
    "sns": ("SNS", "AmazonSNS"),
    "sqs": ("SQS", "AmazonSQS"),
}
#: Those whose results have no block about the HTTP answer.
_PLAIN = frozenset({"events"})

#: Services that the client library calls otherwise than resources do, by the name in a resource.
_IN_LIBRARY: Mapping[str, str] = {
    "applicationdiscoveryservice": "discovery", "cloudwatchlogs": "logs", "cognitoidentityprovider": "cognito-idp",
    "configservice": "config", "costandusagereportservice": "cur", "costexplorer": "ce",
    "databasemigrationservice": "dms", "directoryservice": "ds", "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb", "elasticloadbalancingv2": "elbv2", "elasticsearchservice": "es",
    "eventbridge": "events", "iotdataplane": "iot-data", "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuildingservice": "lex-models", "lexmodelsv2": "lexv2-models", "lexruntimeservice": "lex-runtime",
    "lexruntimev2": "lexv2-runtime", "marketplaceentitlementservice": "marketplace-entitlement",
    "marketplacemetering": "meteringmarketplace", "migrationhub": "mgh", "pinpointsmsvoice": "sms-voice",
    "serverlessapplicationrepository": "serverlessrepo", "sfn": "stepfunctions", "simpledb": "sdb",
}  # fmt: skip

#: The words of a name in camel case: Dynamo DB, EC 2, Cloud Watch.
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """What a resource calls. ``service`` is its name in the resource, ``operation`` the API's own name."""

    service: str
    operation: str
    sdk: bool

    @property
    def has_metadata(self) -> bool:
        """Whether its result tells of the HTTP answer."""
        return not self.sdk and self.service not in _PLAIN

    def prefix(self, service_id: str) -> str:
        """What an error's name begins with; ``service_id`` is how the service calls itself."""
        return pascal(service_id) if self.sdk else _OPTIMISED[self.service][0]

    def error(self, service_id: str, shape: str | None) -> str:
        """The name of an error: of the shape that the service's model gives it, or of none in particular."""
        prefix = self.prefix(service_id)
        if shape is not None:
            return f"{prefix}.{_exception(shape)}"
        own = prefix if self.sdk else _OPTIMISED[self.service][1].removesuffix("v2")
        return f"{prefix}.{own}{_EXCEPTION}"

    def cause(self, service_id: str, said: str, code: str, status: int, ids: Mapping[str, str]) -> str:
        """The cause of an error; ``ids`` are those of the request, by what they are called."""
        if not self.sdk:
            identity = ids.get("Request ID", "")
            return refused(_OPTIMISED[self.service][1], code, said, identity, status=status)
        named = "".join(f", {name}: {value}" for name, value in ids.items())
        return f"{said} (Service: {pascal(service_id)}, Status Code: {status}{named}) (SDK Attempt Count: 1)"


def service_call(resource: str) -> ServiceCall | None:
    """What a resource calls; None for what no single call of a service does."""
    service, action = integration(resource) or ("", "")
    action = action.removesuffix(_TOKEN)
    if not action.isalnum():
        return None  # .sync: somebody would have to watch the job
    operation = action[0].upper() + action[1:]
    if service.startswith(_AWS_SDK):
        return ServiceCall(service.removeprefix(_AWS_SDK), operation, sdk=True)
    return ServiceCall(service, operation, sdk=False) if service in _OPTIMISED else None


def patterns_of(services: Collection[str] | None) -> list[str]:
    """Patterns of the resources that call services, which are named as they call themselves; None: of all."""
    optimised = [name for name in _OPTIMISED if services is None or own_name(name) in services]
    sdk = ["aws-sdk"] if services is None else [f"{_AWS_SDK}{name}" for name in sorted(services)]
    return [f"arn:*:states:*:*:{name}:*" for name in (*optimised, *sdk)]


def own_name(service: str) -> str:
    """How a service that a resource names calls itself, in lower case and without blanks."""
    return "eventbridge" if service == "events" else service


def in_library(service: str, known: list[str]) -> str | None:
    """The name of a service in the client library, whose ``known`` names have hyphens; None for none."""
    name = _IN_LIBRARY.get(service, service)
    return next((one for one in known if one in (name, service) or one.replace("-", "") == name), None)


def pascal(service_id: str) -> str:
    """A service's own name as the SDK spells it: ``DynamoDB`` is DynamoDb, ``Secrets Manager`` SecretsManager."""
    return "".join(word[0].upper() + word[1:].lower() for word in _WORD.findall(service_id))


def _exception(shape: str) -> str:
    name = shape[:1].upper() + shape[1:]
    return name if name.endswith(_EXCEPTION) else f"{name.removesuffix(_FAULT)}{_EXCEPTION}"
