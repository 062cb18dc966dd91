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

NEAREST = 5
"""Ruled-out causes listed before the rest is asked for."""

NARROW = 100
"""Columns below which only the causes are listed."""

_MORE = "more"


class CauseList(OptionList):
    """Causes with certainty bars over the ruled-out ones, of which the nearest are listed."""

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
        self.all_shown = False
        self._diagnosis: Diagnosis | None = None
        self._items: dict[str, Cause | NotCause] = {}

    def show(self, diagnosis: Diagnosis) -> None:
        """List the causes of a diagnosis, the cursor staying on its cause."""
        chosen = self.chosen
        self._diagnosis = diagnosis
        self._items = {cause.id: cause for cause in diagnosis.causes}
        self._items.update({cause.id: cause for cause in diagnosis.ruled_out})
        self.clear_options()
        self.add_options([Option(_line(cause), id=cause.id) for cause in diagnosis.causes])
        if diagnosis.ruled_out:
            self._add_ruled_out(diagnosis)
        if self._items:
            listed = {option.id for option in self.options}
            wanted = chosen.id if chosen and chosen.id in listed else next(iter(self._items))
            self.highlighted = self.get_option_index(wanted)

    def _add_ruled_out(self, diagnosis: Diagnosis) -> None:
        if diagnosis.causes and not self._is_narrow:
            self.add_option(Option(" ", disabled=True))
        count = len(diagnosis.ruled_out)
        # In a small terminal the causes need the room.
        nearest = 0 if self._is_narrow and diagnosis.causes else NEAREST
        shown = diagnosis.ruled_out if self.all_shown else diagnosis.ruled_out[:nearest]
        if shown:
            heading = Content.styled(tr("{n} ruled out", n=count), "$foreground 60%")
            self.add_option(Option(heading, disabled=True))
        self.add_options([Option(_ruled_out(cause), id=cause.id) for cause in shown])
        if len(shown) < count:
            text = tr("… {n} more (w)", n=count - len(shown)) if shown else tr("{n} ruled out (w)", n=count)
            self.add_option(Option(Content.styled(text, "$foreground 60%"), id=_MORE))

    @property
    def _is_narrow(self) -> bool:
        # The screen's classes for its size come too late for the first picture.
        return self.app.size.width < NARROW

    def refit(self) -> None:
        """List as many as fit a changed terminal."""
        if self._diagnosis:
            self.show(self._diagnosis)

    def show_all(self) -> None:
        """List every ruled-out cause, or only the nearest again."""
        self.all_shown = not self.all_shown
        self.refit()

    @on(OptionList.OptionSelected)
    def _select(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id == _MORE:
            self.show_all()

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
    contributing = ("↳ " if cause.role == "contributing" else "", "$foreground 50%")
    return Content.assemble(certainty.bar(cause.certainty), "  ", contributing, name)


def _ruled_out(cause: NotCause) -> Content:
    return Content.styled(f"✗ {cause.title or wording.readable(cause.id)}", "$foreground 60%")
