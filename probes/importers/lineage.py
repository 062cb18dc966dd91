"""From logged steps to ascending ones: epochs that count anew, restarts, roll-backs and late lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import lt

from ..evidence import Event, Step
from .writer import EvidenceWriter, Point

_MOST_SEGMENTS = 64


@dataclass
class Segment:
    """A stretch of the log in which the step only rises.

    Attributes:
        from_step, to_step: as written.
        log_from, log_to: as the log says.
        reason: ``start``, ``started over`` or ``rolled back``.
        superseded: points of earlier segments that this one replaces.
        loss_before, loss_after: last loss before the border and first one after it.
        loss_superseded: highest loss among the replaced points.
    """

    index: int
    from_step: int
    log_from: int
    reason: str = "start"
    to_step: int = 0
    log_to: int = 0
    points: int = 0
    superseded: int = 0
    loss_before: float | None = None
    loss_after: float | None = None
    loss_superseded: float | None = None
    nonfinite_superseded: int = 0

    def event(self) -> Event:
        """Return the segment as an event of the run."""
        data = {name: value for name, value in vars(self).items() if value is not None}
        return Event("segment", self.from_step, data=data)


@dataclass
class Lineage:
    """Places points, given in the order of the log, on one ascending axis.

    A step that goes back while the epoch rises is a counter within the epoch and is continued. A step that
    goes back to the first one is another run in the same file: it is put behind the first, and its own step
    is kept as ``extra/log_step``. A step that goes back to anywhere else is a resumed run: what it repeats
    is superseded. A single line out of order is put in its place.
    """

    writer: EvidenceWriter
    segments: list[Segment] = field(default_factory=list)
    repeated: int = 0
    late: int = 0
    per_epoch: bool = False
    _base: int = 0
    _last: int | None = None
    _last_epoch: float | None = None
    _stride: int = 1
    _last_loss: float | None = None
    _held: list[tuple[int, Point]] = field(default_factory=list)
    _seen_loss: bool = False

    def place(self, point: Point) -> None:
        """Take in one point; its ``step`` is as the log says and may be changed."""
        raw = point.step
        if self._goes_on(point, raw):
            return
        if self._held:
            self._decide(raw, point)
            return
        step = raw + self._base
        if self._last is None or step > self._last:
            self._write(point, raw, step)
        elif step == self._last:
            self._same(point, raw)
        elif self._is_new_epoch(point):
            self._continue_count(point, raw)
        else:
            self._held.append((raw, point))

    def extend(self, points: list[Step]) -> bool:
        """Take in points with a loss that go on with the curve; return False if they do not."""
        if self._held or not self._seen_loss or self._last is None or self._base or not self.segments:
            return False
        steps = [point.step for point in points]
        if (
            steps[0] <= self._last
            or not all(map(lt, steps, steps[1:]))
            or self.segments[-1].loss_after is None
        ):
            return False
        loss = points[-1].v["loss"]
        self._stride = steps[-1] - steps[-2] if len(steps) > 1 else steps[0] - self._last
        self._last, self._last_epoch = steps[-1], points[-1].epoch
        self._last_loss = loss if isinstance(loss, float) else None
        segment = self.segments[-1]
        segment.to_step = segment.log_to = steps[-1]
        segment.points += len(points)
        self.writer.extend(points)
        return True

    def _goes_on(self, point: Point, raw: int) -> bool:
        """Write the next point of the curve, which nearly all points are; return False for any other."""
        if self._held or not self._seen_loss or type(point) is not Step:
            return False
        step, last, loss = raw + self._base, self._last, point.v.get("loss")
        segment = self.segments[-1]
        if last is None or step <= last or type(loss) is not float or segment.loss_after is None:
            return False
        self._stride, self._last, self._last_epoch, self._last_loss = step - last, step, point.epoch, loss
        segment.to_step, segment.log_to = step, raw
        segment.points += 1
        point.step = step
        if self._base and not self.per_epoch:
            point.v["extra/log_step"] = raw
        self.writer.add(point)
        return True

    def _marks(self, point: Point) -> bool:
        """Tell whether a point is of the curve that the lineage follows: training, else validation."""
        if type(point) is Step:
            return "loss" in point.v
        return not self._seen_loss and "val.loss" in point.v

    def _is_new_epoch(self, point: Point) -> bool:
        if not self._marks(point) or point.epoch is None or self._last_epoch is None:
            return False
        return int(point.epoch) > int(self._last_epoch)

    def _continue_count(self, point: Point, raw: int) -> None:
        self.per_epoch = True
        step = (self._last or 0) + (raw if raw > 0 else self._stride)
        self._base = step - raw
        self._write(point, raw, step)

    def _same(self, point: Point, raw: int) -> None:
        if self._last_loss is not None and self._is_new_epoch(point):
            self._continue_count(point, raw)
            return
        self._write(point, raw, raw + self._base)

    def _write(self, point: Point, raw: int, step: int) -> None:
        point.step = step
        if self._base and not self.per_epoch:
            point.v["extra/log_step"] = raw
        if self._marks(point):
            self._follow(point, raw, step)
        self.writer.add(point)
        if self.segments:
            self.segments[-1].points += 1

    def _follow(self, point: Point, raw: int, step: int) -> None:
        if not self.segments:
            self.segments.append(Segment(0, step, raw))
        segment = self.segments[-1]
        loss = point.v.get("loss", point.v.get("val.loss"))
        if self._last is not None and step > self._last and segment.points:
            self._stride = step - self._last
        if segment.loss_after is None and isinstance(loss, float | int):
            segment.loss_after = float(loss)
        if type(point) is Step and not self._seen_loss:
            self._seen_loss = True
        if step == self._last and isinstance(self._last_loss, float) and segment.points:
            self.repeated += 1
        self._last, self._last_epoch = step, point.epoch
        self._last_loss = float(loss) if isinstance(loss, float | int) else None
        segment.to_step, segment.log_to = step, raw

    def _decide(self, raw: int, point: Point) -> None:
        """Tell from the next point of the curve what a step that went back means."""
        if not self._marks(point):
            self._held.append((raw, point))
            return
        marks = [(held_raw, held) for held_raw, held in self._held if self._marks(held)]
        forward = raw + self._base > (self._last or 0)
        if not marks and not forward and not self._is_new_epoch(point):
            self._held.append((raw, point))
            return
        if marks and (not forward or self.writer.has_recent_step(marks[0][0] + self._base)):
            self._new_segment(marks[0][0])
        self._release()
        self.place(point)

    def _release(self) -> None:
        """Write what is held, under the numbering that now holds."""
        held, self._held = self._held, []
        for raw, point in held:
            step = raw + self._base
            if not self._marks(point) or self._last is None or step >= self._last:
                self._write(point, raw, step)
            else:
                self.late += 1
                point.step = step
                self.writer.add(point)

    def _new_segment(self, raw: int) -> None:
        old = self.segments[-1]
        last = self._last or 0
        start = raw + self._base
        new = Segment(len(self.segments), start, raw, loss_before=self._last_loss)
        if self._starts_over(raw):
            new.reason = "started over"
            new.from_step = last + 1
            self._base = new.from_step - raw
        else:
            new.reason = "rolled back"
            gone = self.writer.cut(start)
            _note_superseded(new, gone)
            self.writer.set_aside(gone, old.index)
            old.to_step = max(old.from_step, min(old.to_step, self.writer.last_step))
        self._last, self._last_loss, self._last_epoch = new.from_step - 1, None, None
        self.segments.append(new)

    def _starts_over(self, raw: int) -> bool:
        """Tell another run that begins at the first step from a run that goes on from a checkpoint."""
        first = next(s.log_from for s in reversed(self.segments) if s.reason != "rolled back")
        if raw > first + (self._stride if self._stride < 4 else 0):
            return False
        # A log that begins late is the rest of a longer one: going back a little before it is a resume.
        return not (first > 16 * self._stride and raw > first // 2)

    def finish(self) -> list[Event]:
        """Decide what is still held and return the segments as events, none where there is only one."""
        marks = [raw for raw, held in self._held if self._marks(held)]
        if marks and self.segments:
            self._new_segment(marks[0])
        self._release()
        if self._counts_epochs():
            self.per_epoch = True
            self.segments = self.segments[:1]
        return (
            [segment.event() for segment in self.segments[:_MOST_SEGMENTS]] if len(self.segments) > 1 else []
        )

    def _counts_epochs(self) -> bool:
        """Tell a counter that starts over at every epoch from runs that follow each other in a file."""
        starts = [segment for segment in self.segments if segment.reason == "started over"]
        if len(starts) < 3 or len(starts) < len(self.segments) - 1:
            return False
        ends = {segment.log_to for segment in self.segments[:-1]}
        return len(ends) <= 2


def _note_superseded(segment: Segment, gone: list[Point]) -> None:
    losses = [point.v["loss"] for point in gone if type(point) is Step and "loss" in point.v]
    figures = [float(loss) for loss in losses if isinstance(loss, float | int)]
    finite = [loss for loss in figures if loss - loss == 0.0]
    segment.superseded = len(gone)
    segment.loss_superseded = max(finite, default=None)
    segment.nonfinite_superseded = len(figures) - len(finite)
