"""All rules, in their families."""

from __future__ import annotations

from collections.abc import Mapping

from . import choices, errors, flow, loops, portability, secrets, sizes, style, tasks, variables
from .rule import Rule

FAMILIES: Mapping[str, tuple[Rule, ...]] = {
    "Data flow": (
        flow.missing_path,
        flow.discarded_path,
        flow.maybe_missing_path,
        flow.missing_context_field,
        flow.wrong_type,
        flow.wrong_argument,
        flow.useless_result_selector,
        flow.useless_parameters,
        flow.perhaps_discarded_path,
        flow.misspelled_path,
        variables.undefined_variable,
        variables.maybe_undefined_variable,
        variables.unused_variable,
    ),
    "Choices": (
        choices.choice_without_default,
        choices.covered_rule,
        choices.never_true,
        choices.contradictory_rule,
        choices.useless_choice,
    ),
    "Loops": (
        loops.endless_loop,
        loops.busy_loop,
        loops.unbounded_loop,
        loops.history_limit,
        loops.growing_payload,
    ),
    "Tasks": (
        tasks.task_without_timeout,
        tasks.callback_without_timeout,
        tasks.missing_task_token,
        tasks.task_without_retry,
    ),
    "Failures": (
        errors.retry_without_jitter,
        errors.retry_without_cap,
        errors.hidden_error,
        errors.error_replaces_payload,
        errors.fail_without_error,
    ),
    "Sizes": (
        sizes.map_without_concurrency,
        sizes.inline_map_without_concurrency,
        sizes.payload_too_large,
        sizes.too_long_for_express,
    ),
    "Secrets": (secrets.secret,),
    "Targets": (portability.not_on_aws, portability.not_on_detent),
    "Spelling": (style.deprecated_field, style.default_value),
}

#: Every rule by its code.
RULES: Mapping[str, Rule] = {rule.code: rule for family in FAMILIES.values() for rule in family}
