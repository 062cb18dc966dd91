"""The JSON Schemas of the documents, for editors that complete and check them."""

from __future__ import annotations

import json
from typing import Any

from ..facts.registry import specs
from .cause import CauseDocument, FixDocument
from .fields import Document
from .rule import RuleDocument

KINDS: dict[str, type[Document]] = {"rule": RuleDocument, "cause": CauseDocument, "fix": FixDocument}


def schema_of(kind: str) -> str:
    """Return the JSON Schema of ``rule``, ``cause`` or ``fix``, with every fact and its meaning."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"spikelore {kind}"
    condition = schema.get("$defs", {}).get("ConditionDocument")
    if condition is not None:
        condition["properties"]["fact"] = _facts()
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _facts() -> dict[str, Any]:
    measured = [
        {"const": spec.name, "description": f"{spec.meaning}{f' ({spec.unit})' if spec.unit else ''}"}
        for spec in specs().values()
    ]
    derived = {"type": "string", "pattern": r"^(symptom|pattern|cause)\."}
    return {"title": "Fact", "anyOf": [{"oneOf": measured}, derived]}
