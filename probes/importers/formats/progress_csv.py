"""Progress tables of reinforcement-learning and diffusion code that goes back to OpenAI's logger."""

from __future__ import annotations

from ..tables import CsvFormat


class ProgressCsv(CsvFormat):
    """OpenAI logger and Stable-Baselines3 ``progress.csv``; the header grows and may be written again.

    Recognised by ``rollout/`` and ``time/`` columns, by loss quartiles (``loss_q0``), or by ``samples``
    beside ``grad_norm``. The loss is ``loss`` or ``train/loss``; of an actor and a critic the critic's.
    """

    name = "progress-csv"
    weight = 0.85
    example = (
        "time/total_timesteps,rollout/ep_rew_mean,train/loss,train/learning_rate\n"
        "2048,21.3,,\n4096,25.0,6.1,0.0003\n6144,30.2,5.2,0.0003\n"
    )

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the families of columns that this logger writes."""
        families = {column.split("/", 1)[0] for column in columns if "/" in column}
        old = {"samples", "step", "loss"} <= columns or "loss_q0" in columns
        return old or bool({"rollout", "time"} <= families) or "misc/nupdates" in columns


IMPORTERS = (ProgressCsv(),)
