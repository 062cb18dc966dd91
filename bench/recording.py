"""Keeps what the gym proved: which rules spoke for the right cause, and the facts of right answers.

``recorded.json`` names for each rule the jobs in which it fired for the right cause, put first.
``answers.jsonl`` holds one line for each job that was answered rightly: its facts, and what they become
when a sensor is off. The tests replay it, so that nobody has to train for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gym_jobs import GYM, Result
from sensors_off import each_sensor_off
from spikelore.rules.diagnosing import facts_of, find, verdict_key
from spikelore.rules.facts.registry import Fact, FactSet

PROVEN = GYM / "recorded.json"
ANSWERS = GYM / "answers.jsonl"


def record(results: list[Result], runs: Path) -> None:
    """Write both files; jobs that were not run this time keep what stands there."""
    _write_proven(results)
    seen = {result.job.id for result in results}
    lines = [line for line in _lines() if line["job"] not in seen]
    lines += [_answer(result, runs) for result in results if _named_first(result)]
    lines.sort(key=lambda line: str(line["job"]))
    ANSWERS.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _named_first(result: Result) -> bool:
    job = result.job
    return job.faulty and bool({job.cause, *job.accept} & set(result.roots[:1]))


def _lines() -> Iterator[dict[str, Any]]:
    if ANSWERS.is_file():
        yield from map(json.loads, ANSWERS.read_text().splitlines())


def _write_proven(results: list[Result]) -> None:
    proven = json.loads(PROVEN.read_text()) if PROVEN.is_file() else {}
    seen = {result.job.id for result in results}
    by_rule = {rule: set(ids) - seen for rule, ids in proven.items()}
    for result in results:
        first = next((cause for cause in result.diagnosis.causes if cause.role == "root"), None)
        if first is not None and result.job.faulty and result.right():
            for rule in first.rules:
                by_rule.setdefault(rule, set()).add(result.job.id)
    kept = {rule: sorted(ids) for rule, ids in sorted(by_rule.items()) if ids}
    PROVEN.write_text(json.dumps(kept, indent=1) + "\n")


def _answer(result: Result, runs: Path) -> dict[str, Any]:
    job, whole = result.job, _facts(result.facts)
    sensors = {}
    for sensor, evidence in each_sensor_off(job, runs):
        finding = find(evidence)
        facts = _facts(facts_of(evidence, finding))
        sensors[sensor] = {
            "verdict": verdict_key(finding),
            "gone": sorted(whole.keys() - facts.keys()),
            "changed": {name: value for name, value in facts.items() if whole.get(name) != value},
        }
    return {
        "job": job.id,
        "causes": [job.cause, *job.accept],
        "verdict": verdict_key(result.finding),
        "facts": whole,
        "without": sensors,
    }


def _facts(facts: FactSet) -> dict[str, Any]:
    """Return the value of each fact, with its certainty where that is not 1, as in the cases of rules."""
    return {name: _given(fact) for name, fact in facts.items()}


def _given(fact: Fact) -> Any:
    value = _short(fact.value)
    return value if fact.certainty == 1.0 else {"value": value, "certainty": round(fact.certainty, 4)}


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
