"""A case as people write it: an entry of the starter files, or a form that was filled in by hand."""

from __future__ import annotations

import msgspec

from ..rules.diagnosis import FactValue
from .values import Case, FixTried, Loss


class Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A case as a YAML mapping; what is left out is unknown."""

    id: str = ""
    title: str = ""
    title_zh: str = ""
    summary: str = ""
    summary_zh: str = ""
    cause: str = ""
    reference: str = ""
    """Address of the public account."""
    fixes: list[FixTried] = []
    facts: dict[str, FactValue] = {}
    project: str = ""
    framework: str = ""
    model_type: str = ""
    step: int | None = None
    epoch: float | None = None
    train: tuple[Loss, Loss] = (None, None)
    """Before, and at the spike."""
    val: tuple[Loss, Loss] = (None, None)
    nonfinite: bool = False
    recovered: bool = False
    verdict: str = "spike"
    pattern: str | None = None
    tags: list[str] = []

    def case(self, source: str, moment: float, by: str = "") -> Case:
        """Return the case, resolved at a moment by somebody where the cause is known."""
        shared = {
            name: getattr(self, name) for name in self.__struct_fields__ if name in Case.__struct_fields__
        }
        case = Case(
            **shared,
            source=source,
            train_before=self.train[0],
            train_after=self.train[1],
            val_before=self.val[0],
            val_after=self.val[1],
            created=moment,
            updated=moment,
        )
        for fix in case.fixes:
            fix.by = fix.by or by
            fix.before = case.train_after if fix.before is None else fix.before
        if self.cause:
            case.state, case.confirmed = "resolved", self.cause
            case.resolved, case.resolved_by = moment, by
        return case
