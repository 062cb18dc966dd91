"""Made incidents in any number: the texts of people and of the product, and facts round each cause."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from spikelore.casebase import Case, FixTried, Note
from spikelore.casebase.starter import cases as starter_cases
from spikelore.rules.diagnosis import FactValue

CAUSES: dict[str, dict[str, float | bool]] = {
    "model.exploding-gradients": {
        "grad.norm_ratio": 80.0,
        "grad.lead": 3.0,
        "grad.clipped": False,
        "spike.ratio": 9.0,
    },
    "strategy.lr-surge": {
        "lr.ratio": 300.0,
        "lr.jump_lead": 1.0,
        "update.norm_ratio": 200.0,
        "spike.ratio": 12.0,
    },
    "strategy.optimizer-misconfigured": {
        "update.gain_ratio": 6.0,
        "optimizer.beta1": 0.1,
        "spike.ratio": 4.0,
    },
    "strategy.train-mode-off": {"mode.eval_training": True, "mode.lead": 20.0, "weight.norm_growth": 1.5},
    "strategy.no-warmup": {"lr.warmup": False, "lr.at_peak": True, "update.ratio_before": 0.02},
    "data.abnormal-features": {"batch.extreme_ratio": 60.0, "batch.outlier_like": True, "spike.ratio": 6.0},
    "data.label-contamination": {"label.disagreement": 0.6, "batch.normal": True, "spike.ratio": 5.0},
    "data.loading-error": {"batch.std_ratio": 40.0, "batch.new_negatives": True, "spike.ratio": 8.0},
    "data.feature-drift": {"batch.mean_shift": 3.0, "batch.shift_lasts": True, "spike.ratio": 3.0},
    "data.class-drift": {"label.shift": 0.5, "label.shift_noise": 0.05, "spike.ratio": 3.0},
    "data.label-out-of-range": {"label.out_of_range": True, "spike.nonfinite": True},
    "model.batchnorm-corruption": {"bn.var_ratio": 30.0, "bn.shift_ratio": 12.0, "spike.ratio": 4.0},
    "model.unstable-activation": {
        "act.saturated_before": 0.7,
        "act.norm_ratio": 15.0,
        "model.saturating_layers": 8.0,
    },
    "numerics.fp16-overflow": {"amp.scale_drop": 64.0, "amp.skipped_run": 12.0, "spike.nonfinite": True},
    "numerics.nan-gradient": {"grad.nonfinite_first": True, "grad.nonfinite": True, "spike.nonfinite": True},
    "numerics.undefined-loss": {
        "label.none_valid": True,
        "loss.first_bad_nonfinite": True,
        "spike.nonfinite": True,
    },
    "environment.rank-desync": {"ranks.distance": 4.0, "ranks.world": 8.0, "spike.ratio": 3.0},
    "environment.compute-error": {"gpu.temperature": 97.0, "system.xid": True, "spike.ratio": 20.0},
    "environment.checkpoint-corrupt": {
        "resume.seen": True,
        "resume.hash_matches": False,
        "resume.loss_ratio": 9.0,
    },
    "environment.resume-counter": {"resume.seen": True, "resume.lr_ratio": 40.0, "resume.rate_jumped": True},
}
FIXES = ("fix.clip-gradients", "fix.lower-rate", "fix.drop-bad-batches", "fix.roll-back", "fix.repair-loader")
PROJECTS = [f"project-{number}" for number in range(200)]
MODELS = ("transformer", "cnn", "mlp", "unet", "detector", "language model", "diffusion")


class Crowd:
    """Makes incidents from a seed; the words of notes follow Zipf's law over the same 30,000."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(0)
        told = [case for case in starter_cases() if case.source == "starter"]
        self._english = [s for case in told for s in case.summary.split(". ") if len(s) > 20]
        self._chinese = [s for case in told for s in case.summary_zh.split(";") if len(s) > 6]
        self._words = [self._word() for _ in range(30_000)]
        self._zipf = [1 / (rank + 10) for rank in range(len(self._words))]
        self._random.seed(seed)

    def _word(self) -> str:
        syllables = (
            "ba",
            "con",
            "dri",
            "el",
            "for",
            "gan",
            "hu",
            "in",
            "jo",
            "ker",
            "lum",
            "mo",
            "net",
            "or",
            "pli",
        )
        return "".join(self._random.choice(syllables) for _ in range(self._random.randint(2, 4)))

    def words(self, count: int) -> list[str]:
        """Return words as notes hold them."""
        return self._random.choices(self._words, self._zipf, k=count)

    def facts(self, cause: str) -> dict[str, FactValue]:
        """Return facts of a cause, scattered by a factor of two or so."""
        return {
            name: value
            if isinstance(value, bool)
            else float(f"{value * math.exp(self._random.gauss(0, 0.7)):.4g}")
            for name, value in CAUSES[cause].items()
        }

    def case(self, number: int) -> Case:
        """Return one incident."""
        choose = self._random.choice
        cause = choose(list(CAUSES))
        step, before = self._random.randint(50, 900_000), self._random.uniform(0.05, 3)
        after = before * self._random.uniform(2, 30)
        name = cause.partition(".")[2].replace("-", " ").capitalize()
        resolved = self._random.random() < 0.6
        created = 1.6e9 + number
        note = f"{choose(self._english)}. {' '.join(self.words(12))} {choose(self._chinese)}"
        fix = FixTried(choose(FIXES), choose(("worked", "worked", "failed")), after, before, created=created)
        return Case(
            id=f"{number:016x}",
            title=f"{name} at step {step:,}: training loss {before:.3g} → {after:.3g}",
            title_zh=f"损失骤升(第 {step:,} 步):训练损失 {before:.3g} → {after:.3g}",
            summary=f"The loss jumped {after / before:.1f} times within one step and stayed up.",
            run=f"run-{number}",
            step=step,
            train_before=before,
            train_after=after,
            predicted=cause,
            confirmed=cause if resolved else "",
            state="resolved" if resolved else "open",
            resolved=created + 3600 if resolved else None,
            project=choose(PROJECTS),
            framework="torch",
            model_type=choose(MODELS),
            created=created,
            notes=[Note(note, created=created)] if self._random.random() < 0.5 else [],
            fixes=[fix] if resolved else [],
            facts=self.facts(cause),
        )

    def cases(self, first: int, count: int) -> Iterator[Case]:
        """Yield incidents with running numbers."""
        return (self.case(number) for number in range(first, first + count))

    def queries(self, count: int) -> list[str]:
        """Return what people would type: rare and common words, one to four of them, and Chinese."""
        found = []
        for _ in range(count):
            kind = self._random.random()
            if kind < 0.35:
                found.append(" ".join(self.words(self._random.randint(1, 3))))
            elif kind < 0.7:
                sentence = self._random.choice(self._english).split()
                start = self._random.randrange(max(1, len(sentence) - 4))
                found.append(" ".join(sentence[start : start + self._random.randint(2, 4)]))
            else:
                sentence = self._random.choice(self._chinese)
                start = self._random.randrange(max(1, len(sentence) - 6))
                found.append(sentence[start : start + self._random.randint(2, 6)])
        return found
