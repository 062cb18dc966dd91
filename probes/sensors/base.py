"""What a sensor is, and how sensors are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from ..evidence import Field, Value

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

    from ..agent.progress import LoaderState
    from ..agent.session import Session
    from ..agent.step import OpenStep


class Sensor:
    """Looks at one aspect of training and fills its names into the step's record.

    A subclass overrides the hooks it needs. Every hook runs with gradients disabled, is timed, and a
    sensor that raises is switched off and noted: it need not guard itself. It must not use random
    numbers, change a tensor of the job, keep one beyond the step, or call a collective; numbers on a
    device are read through ``step.later``.

    Attributes:
        name: unique name.
        FIELDS: the evidence it writes.
        sampled: the budget decides on which steps it runs; otherwise it runs on every step.
        always: hooks of a sampled sensor that run on every step all the same; they must be quick.
        rests: what it does on every step may be left out on a step that goes exactly like the one before.
    """

    name: ClassVar[str] = ""
    FIELDS: ClassVar[tuple[Field, ...]] = ()
    sampled: ClassVar[bool] = False
    always: ClassVar[tuple[str, ...]] = ()
    rests: ClassVar[bool] = False

    def __init__(self, session: Session) -> None:
        self.session = session

    def install(self) -> None:
        """Set up the sensor's own patches, once, when the session begins."""

    def adopt(self, schedulers: list[Any], loaders: list[Any]) -> None:
        """The probes came late: these were made before."""

    def begin(self, step: OpenStep) -> None:
        """A new step opens."""

    def forward(self, module: Module, output: Any) -> None:
        """An outermost module has returned that evaluates, or the first that trains after one."""

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """The graph of ``roots`` is still whole."""

    def after_backward(self, step: OpenStep) -> None:
        """Gradients of one micro-batch are there, and its loss is known where it is on a CPU."""

    def before_clip(self, step: OpenStep, parameters: Sequence[Tensor]) -> None:
        """The job is about to clip the gradients of ``parameters``."""

    def after_clip(self, step: OpenStep, limit: float, norm: Tensor | None) -> None:
        """Gradients have been clipped to ``limit``; ``norm`` is the job's own total before, if it has one."""

    def scaler(self, step: OpenStep, scaler: Any) -> None:
        """A GradScaler is about to update, or to skip the update."""

    def loader(self, loader: Any, state: LoaderState) -> None:
        """A pass over a DataLoader begins."""

    def meets(self, optimizer: Optimizer) -> None:
        """An optimizer is about to update for the first time."""

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """An optimizer is about to update; gradients are unscaled, and clipped if the job clips."""

    def after_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """An optimizer has updated."""

    def finish(self, step: OpenStep) -> None:
        """The step is over, and its record is written next."""

    def alerted(self) -> None:
        """Something is wrong, and weights may change in consequence: an out-of-memory error was raised."""

    def gauge(self, values: dict[str, Value]) -> None:
        """Once a second, on a thread of its own: fill in the state of the host or a device."""

    def end(self) -> None:
        """The job ends or the probes are taken off."""


HOOKS = (
    "begin",
    "forward",
    "before_backward",
    "after_backward",
    "before_clip",
    "after_clip",
    "scaler",
    "loader",
    "meets",
    "before_update",
    "after_update",
    "finish",
    "alerted",
    "gauge",
    "end",
)


def sensor_classes(folders: Sequence[Path] = ()) -> list[type[Sensor]]:
    """Return every sensor of this package and of ``folders``, in the order of their files.

    Args:
        folders: further folders whose Python files define sensors.
    """
    package = importlib.import_module(__package__ or "")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if info.name != "base")
    modules = [importlib.import_module(f".{name}", __package__) for name in names]
    for folder in folders:
        modules += [_load(path) for path in sorted(folder.glob("*.py"))]
    return [found for module in modules for found in _defined_in(module)]


def _defined_in(module: ModuleType) -> Iterator[type[Sensor]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Sensor) and value.__module__ == module.__name__:
            yield value


def _load(path: Path) -> ModuleType:
    # The prefix keeps a team's file from hiding a module of the job that has the same name.
    spec = spec_from_file_location(f"_spikelore_sensor_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
