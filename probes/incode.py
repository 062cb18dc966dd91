"""Probes asked for in the training code itself: ``spikelore.attach(model, optimizer)``.

The evidence is the same as under ``spikelore run``; nothing has to be started differently.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .evidence import EvidenceError, RunDirectory, RunManifest
from .evidence.home import home
from .launch import new_run_id
from .provenance import git_state, settings_in, versions
from .secrets import mask_command
from .summary import complete

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.nn import Module
    from torch.optim import Optimizer

    from .agent.session import Session

_RANK_PATIENCE = 60.0


class Probe:
    """Probes in this process; a context manager that takes them off at its end.

    Attributes:
        run: the run directory.
    """

    def __init__(self, session: Session, run: RunDirectory, owns: bool) -> None:
        self.run = run
        self._session = session
        self._owns = owns
        self._done = False

    def log(self, values: Mapping[str, float | int | str] | None = None, **more: float | int | str) -> None:
        """Add values of the job's own to the record of the step under way, under ``user/{name}``.

        Between two steps they go to the next one.
        """
        step = self._session.steps
        for name, value in {**(values or {}), **more}.items():
            step.note(f"user/{name}", value)

    def log_eval(self, values: Mapping[str, float | int]) -> None:
        """Write a result of validation that probes cannot see, such as ``{"loss": 0.3}``."""
        self._session.write_eval({f"val.{name}": value for name, value in values.items()})

    def detach(self) -> None:
        """Take the probes off; a second call does nothing. Probes that were there before stay."""
        if self._done:
            return
        self._done = True
        atexit.unregister(self.detach)
        if self._owns:
            self._session.lifecycle.end()
            if self._session.sink.rank == 0:
                complete(self.run, None)

    def __enter__(self) -> Probe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()


def attach(
    model: Module | None = None,
    optimizer: Optimizer | None = None,
    *,
    scheduler: Any = None,
    run_dir: Path | str | None = None,
    name: str = "",
    project: str = "",
    budget: float = 0.01,
) -> Probe:
    """Put probes into this process.

    Under ``spikelore run`` they are there already: then this only returns a handle on them.

    Args:
        model: what is trained; None to find out at the first step.
        optimizer: likewise.
        scheduler: a learning-rate scheduler made before this call.
        run_dir: where the run goes; None for a new folder below the home. Ranks of one job must be
            given the same folder, unless torchrun started them.
        name: a name for people.
        project: groups runs.
        budget: share of the step time that probes may take.

    Raises:
        EvidenceError: the run directory cannot be made.
        ValueError: the optimizer updates no parameter of the model.
    """
    from .agent import session as sessions
    from .agent.settings import Settings

    _check(model, optimizer)
    present = sessions.current
    if present is not None:
        _introduce(present, model, scheduler)
        return Probe(present, RunDirectory.open(present.settings.run), owns=False)
    run = _shared_run(run_dir, name, project)
    session = sessions.begin(Settings(run.path, budget=budget))
    _introduce(session, model, scheduler)
    probe = Probe(session, run, owns=True)
    # Before the session's own end, which was registered earlier and so runs later.
    atexit.register(probe.detach)
    return probe


def _check(model: Module | None, optimizer: Optimizer | None) -> None:
    if model is None or optimizer is None:
        return
    owned = {id(parameter) for parameter in model.parameters()}
    if not any(id(p) in owned for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            "spikelore.attach: the optimizer updates no parameter of the model; "
            "pass the model that is trained, or leave it out"
        )


def _introduce(session: Session, model: Module | None, scheduler: Any) -> None:
    if model is not None:
        session.model.saw(model)
    if scheduler is not None:
        for sensor in session.dispatch.sensors:
            sensor.adopt([scheduler], [])


def _shared_run(run_dir: Path | str | None, name: str, project: str) -> RunDirectory:
    """Make the run directory on rank 0 and wait for it on the others, without any collective."""
    from .agent.sink import place_in_world

    rank, world, _ = place_in_world()
    identity = new_run_id()
    shared = os.environ.get("TORCHELASTIC_RUN_ID")
    if run_dir is None and world > 1:
        if shared is None:
            raise EvidenceError(
                "spikelore.attach: several ranks need one run_dir; pass the same folder on each of them"
            )
        identity = f"{shared}-{os.environ.get('MASTER_PORT', '')}-{os.getppid()}"
    path = Path(run_dir) if run_dir is not None else home() / "runs" / identity
    if rank == 0:
        return RunDirectory.create(path.absolute(), _manifest(identity, path, name, project, world))
    deadline = time.monotonic() + _RANK_PATIENCE
    while not (path / "run.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return RunDirectory.open(path.absolute())


def _manifest(identity: str, path: Path, name: str, project: str, world: int) -> RunManifest:
    command = mask_command([sys.executable, *sys.argv])
    return RunManifest(
        id=identity,
        created=time.time(),
        command=command,
        cwd=os.getcwd(),
        name=name or path.name,
        project=project,
        git=git_state(Path.cwd()),
        versions=versions(),
        settings=settings_in(command),
        host=os.uname().nodename,
        pid=os.getpid(),
        world_size=world,
    )
