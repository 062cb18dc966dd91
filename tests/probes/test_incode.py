"""Probes asked for in the training code, directly and through a framework's callback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import spikelore
import torch
from spikelore.probes.evidence.reader import RunEvidence

from .jobs import plain, probed, written


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))


def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, count: int) -> list[float]:
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        loss = model(torch.ones(2, 3)).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def pair() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    model = torch.nn.Linear(3, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.01)


def test_a_with_block_records_what_runs_inside_it(tmp_path: Path) -> None:
    """Steps before and after the block are not in the evidence; logged values are, with their step."""
    model, optimizer = pair()
    steps(model, optimizer, 2)
    with spikelore.attach(model, optimizer, run_dir=tmp_path / "run", name="mine") as probe:
        losses = steps(model, optimizer, 2)
        probe.log(reward=0.5)
        losses += steps(model, optimizer, 2)
        probe.log_eval({"loss": 0.25})
    steps(model, optimizer, 2)
    evidence = RunEvidence.load(tmp_path / "run")
    rank = evidence.primary
    assert rank.series("loss").value.tolist() == pytest.approx(losses)
    assert rank.values("user/reward") == [(2, 0.5)]
    assert rank.series("val.loss", "eval").value.tolist() == [0.25]
    assert (evidence.manifest.name, evidence.manifest.state) == ("mine", "finished")


def test_an_optimizer_of_another_model_is_refused(tmp_path: Path) -> None:
    """The mistake is named before anything is made."""
    with pytest.raises(ValueError, match="updates no parameter of the model"):
        spikelore.attach(pair()[0], pair()[1], run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_under_a_launcher_the_code_gets_a_handle_on_its_run(tmp_path: Path) -> None:
    """spikelore.attach in a job started by the launcher makes no second run and takes nothing off."""
    code = """
import spikelore, torch
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
def step():
    optimizer.zero_grad(); model(torch.ones(2, 3)).sum().backward(); optimizer.step()
with spikelore.attach(model, optimizer) as probe:
    probe.log(note="inside"); step()
step()
"""
    job = probed(tmp_path, written(tmp_path, code))
    assert job.code == 0, job.stderr
    assert len(job.evidence.primary.series("loss")) == 2
    assert job.evidence.primary.values("user/note") == [(0, "inside")]
    assert not (tmp_path / "home" / "runs").exists()


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    """``import spikelore`` loads neither torch nor msgspec; the names are there all the same."""
    code = "import spikelore, sys; print('torch' in sys.modules, 'msgspec' in sys.modules, spikelore.__all__)"
    assert plain(tmp_path, [sys.executable, "-c", code]).stdout == "False False ['Probe', 'attach']\n"


def test_the_hugging_face_callback_records_the_trainers_losses(tmp_path: Path) -> None:
    """What Trainer logs is what is recorded: every loss, and the validation loss."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from spikelore.probes.callbacks.huggingface import SpikeloreCallback

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.layer(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    generator = torch.Generator().manual_seed(0)
    data = [{"x": torch.randn(3, generator=generator), "labels": i % 2} for i in range(32)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        per_device_train_batch_size=8,
        num_train_epochs=2,
        logging_steps=1,
        eval_strategy="epoch",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = transformers.Trainer(
        Model(),
        arguments,
        train_dataset=data,
        eval_dataset=data,
        callbacks=[SpikeloreCallback(tmp_path / "run")],
    )
    trainer.train()
    logged = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    evaluated = [float(entry["eval_loss"]) for entry in trainer.state.log_history if "eval_loss" in entry]
    rank = RunEvidence.load(tmp_path / "run").primary
    assert rank.series("loss").value.tolist() == pytest.approx(logged, abs=2e-4)
    assert rank.series("val.loss", "eval").value.tolist() == pytest.approx(evaluated, abs=2e-4)


def test_the_lightning_callback_records_the_fit(tmp_path: Path) -> None:
    """Training and validation losses of a fit are recorded; Lightning steps through closures."""
    lightning = pytest.importorskip("lightning.pytorch")
    from spikelore.probes.callbacks.lightning import SpikeloreCallback

    losses: list[float] = []

    class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.layer(x)
            return found

        def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
            loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
            losses.append(loss.item())
            return loss

        def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
            torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = torch.utils.data.TensorDataset(torch.randn(32, 3), torch.arange(32) % 2)
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[SpikeloreCallback(tmp_path / "run")],
    )
    trainer.fit(Module(), loader, torch.utils.data.DataLoader(data, batch_size=8))
    rank = RunEvidence.load(tmp_path / "run").primary
    assert rank.series("loss").value.tolist() == pytest.approx(losses)
    assert len(rank.series("val.loss", "eval")) == 2
    assert rank.series("grad.norm").value.min() > 0
