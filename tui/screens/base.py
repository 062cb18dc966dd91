"""What all screens share: top line, footer, the way back, help, and errors as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from ..errors import is_expected, note_crash, sentence
from ..language import tr
from ..widgets.keybar import KeyBar
from ..widgets.masthead import Masthead
from . import SCREENS

if TYPE_CHECKING:
    from ..app import SpikeloreApp


class BaseScreen(Screen[Any]):
    """A screen between the top line and the footer."""

    PLACE: ClassVar[str] = "runs"
    """Which name of the top line is lit."""
    HELP: ClassVar[str] = ""
    """Markdown shown by F1 above the table of keys."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (140, "-wide")]  # noqa: RUF012 - as in Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - as in Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="screen.back", tooltip="Go back to the screen before"),
    ]

    def compose(self) -> ComposeResult:
        """Compose the frame round `body`."""
        yield Masthead()
        with Container(id="body"):
            yield from self.body()
        yield KeyBar(compact=True, show_command_palette=False)

    def body(self) -> Iterable[Widget]:
        """Return the screen's own widgets."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Light the screen's name in the top line."""
        self.query_one(Masthead).place = self.PLACE

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The bindings with their descriptions in the user's language."""
        return {
            key: active._replace(binding=replace(active.binding, description=tr(active.binding.description)))
            # Keys without an id are those of Textual's own widgets, which no screen shows.
            if active.binding.id
            else active
            for key, active in super().active_bindings.items()
        }

    def subject(self, text: str) -> None:
        """Say in the top line what the screen is about."""
        self.query_one(Masthead).subject = text

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way back only where there is one."""
        return self.can_go_back() if action == "back" else super().check_action(action, parameters)

    def can_go_back(self) -> bool:
        """Tell whether escape leads anywhere."""
        return len(self.app.screen_stack) > 1 or self.PLACE != "runs"

    def action_back(self) -> None:
        """Go back to the screen before, or nowhere from the first."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        elif self.PLACE != "runs":
            self.app.switch_mode("runs")

    @property
    def spikelore(self) -> SpikeloreApp:
        """The application, with its own type."""
        return cast("SpikeloreApp", self.app)

    def open(self, screen: str, *subjects: Any) -> None:
        """Show a screen of ``SCREENS`` on top of this one."""
        self.app.push_screen(SCREENS[screen](*subjects))

    def complain(self, error: BaseException) -> None:
        """Show an error as a sentence."""
        text = sentence(error)
        if not is_expected(error):
            where = note_crash(error)
            text = tr("{problem}. This is a defect in spikelore; details in {path}", problem=text, path=where)
        self.notify(text, severity="error", timeout=12, markup=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Turn a worker's failure into a sentence."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.complain(event.worker.error)
