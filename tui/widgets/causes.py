"""The list of suspects: causes by certainty, then those ruled out."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...rules.diagnosis import Cause, Diagnosis, NotCause
from .. import wording
from ..language import tr
from . import certainty


class CauseList(OptionList):
    """Causes with certainty bars over the ruled-out ones."""

    DEFAULT_CSS = """
    CauseList {
        border: none;
        padding: 0;
        background: $background;
        background-tint: 0%;
        &:focus { background-tint: 0%; }
        text-wrap: nowrap;
        text-overflow: ellipsis;
        & > .option-list--option-disabled { color: $foreground 60%; text-style: none; }
        & > .option-list--option-highlighted { background: $surface; color: $foreground; text-style: none; }
        &:focus > .option-list--option-highlighted { background: $panel; text-style: bold; }
    }
    """

    @dataclass
    class Chosen(Message):
        """Another cause is under the cursor."""

        causes: CauseList
        cause: Cause | NotCause

        @property
        def control(self) -> CauseList:
            """The list."""
            return self.causes

    def __init__(self) -> None:
        super().__init__(id="causes", compact=True)
        self._items: dict[str, Cause | NotCause] = {}

    def show(self, diagnosis: Diagnosis) -> None:
        """List the causes of a diagnosis, the cursor staying on its cause."""
        chosen = self.chosen
        self._items = {cause.id: cause for cause in diagnosis.causes}
        self._items.update({cause.id: cause for cause in diagnosis.ruled_out})
        self.clear_options()
        self.add_options([Option(_line(cause), id=cause.id) for cause in diagnosis.causes])
        if diagnosis.ruled_out:
            if diagnosis.causes:
                self.add_option(Option(" ", disabled=True))
            heading = tr("{n} ruled out", n=len(diagnosis.ruled_out))
            self.add_option(Option(Content.styled(heading, "$foreground 60%"), disabled=True))
            self.add_options([Option(_ruled_out(cause), id=cause.id) for cause in diagnosis.ruled_out])
        if self._items:
            wanted = chosen.id if chosen and chosen.id in self._items else next(iter(self._items))
            self.highlighted = self.get_option_index(wanted)

    @property
    def chosen(self) -> Cause | NotCause | None:
        """The cause under the cursor."""
        option = self.highlighted_option
        return self._items.get(option.id or "") if option else None

    @on(OptionList.OptionHighlighted)
    def _tell(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if cause := self.chosen:
            self.post_message(self.Chosen(self, cause))


def _line(cause: Cause) -> Content:
    name = wording.cause_name(cause)
    tail = f"  {tr('contributing')}" if cause.role == "contributing" else ""
    return Content.assemble(certainty.bar(cause.certainty), "  ", name, (tail, "$foreground 50%"))


def _ruled_out(cause: NotCause) -> Content:
    return Content.styled(f"✗ {cause.title or wording.readable(cause.id)}", "$foreground 60%")
