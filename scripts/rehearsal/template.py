"""What the rehearsals read from a template: YAML with CloudFormation's tags."""

from pathlib import Path
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """Turns `!Ref X` into {"Ref": "X"}, and so on."""


def _tagged(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _tagged)


def load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader)  # noqa: S506 (a SafeLoader)


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions by logical id."""
    resources = template["Resources"].items()
    return {name: resource for name, resource in resources if resource["Type"] == "AWS::Serverless::Function"}


def granted(template: dict[str, Any], function: dict[str, Any]) -> set[str]:
    """The actions that a function's policies allow; of @connections, with the method."""
    actions = set()
    for policy in function["Properties"].get("Policies", []):
        document = template["Resources"][policy["Ref"]]["Properties"]["PolicyDocument"]
        for statement in document["Statement"]:
            resource = str(statement["Resource"])
            for method in [m for m in ("POST", "GET", "DELETE") if f"/{m}/@connections" in resource] or [None]:
                actions.add(statement["Action"] + (f"/{method}" if method else ""))
    return actions
