"""The agent gets into a process by several doors, once, and only when asked."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools

from .jobs import environment, probed, written

ROOT = Path(__file__).parents[2]
TRAIN = """
import torch
torch.set_num_threads(1)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
"""


def test_a_shadowed_sitecustomize_still_runs(tmp_path: Path) -> None:
    """The sitecustomize that PYTHONPATH would have given runs, under its own name, before the job."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys; sys.modules[__name__].mark = 'shadowed'\n")
    code = TRAIN + "import sitecustomize; print(sitecustomize.mark, sitecustomize.__file__)"
    job = probed(tmp_path, written(tmp_path, code), PYTHONPATH=str(site))
    assert job.stdout == f"shadowed {site / 'sitecustomize.py'}\n"
    assert len(job.evidence.primary.series("loss")) == 3


def test_a_failing_sitecustomize_fails_as_before(tmp_path: Path) -> None:
    """An error in the shadowed module is reported by Python as without probes, and the job goes on."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("raise RuntimeError('broken site')\n")
    job = probed(tmp_path, written(tmp_path, TRAIN + "print('trained')"), PYTHONPATH=str(site))
    assert job.code == 0
    assert "broken site" in job.stderr
    assert job.stdout == "trained\n"
    assert len(job.evidence.primary.series("loss")) == 3


def _pth_line(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    line: str = runpy.run_path(str(ROOT / "setup.py"))["LINE"]
    return line


def test_the_pth_boots_where_pythonpath_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -E`` drops PYTHONPATH; the .pth beside the installed package still brings the probes in."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "spikelore.pth").write_text(_pth_line(monkeypatch))
    code = f"import site; site.addsitedir({str(folder)!r})\n" + TRAIN
    command = written(tmp_path, code)
    job = probed(tmp_path, [command[0], "-E", command[1]])
    assert job.code == 0, job.stderr
    assert len(job.evidence.primary.series("loss")) == 3


def test_the_pth_imports_nothing_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a run in the environment no module of the product is loaded."""
    (tmp_path / "spikelore.pth").write_text(_pth_line(monkeypatch))
    code = f"import site, sys; site.addsitedir({str(tmp_path)!r}); "
    code += "print([m for m in sys.modules if m == 'spikelore' or m.startswith('spikelore.')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(tmp_path), check=True
    )
    assert done.stdout == "[]\n"


def test_the_wheel_carries_the_pth_and_the_boot_folder(tmp_path: Path) -> None:
    """What pip installs from a wheel holds both doors."""
    import shutil
    import zipfile

    unneeded = shutil.ignore_patterns(".*", "tests", "docs", "bench", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, tmp_path / "tree", ignore=unneeded)
    (tmp_path / "tree" / "README.md").touch()
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('..'))"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path / "tree", check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert "spikelore.pth" in names
    assert "spikelore/probes/boot/sitecustomize.py" in names
    assert not any(name.split("/")[0] in ("probes", "rules", "tui", "casebase") for name in names)


def test_a_process_without_torch_loads_nothing(tmp_path: Path) -> None:
    """Under a run, a process that never imports torch pays for the boot module alone."""
    code = "import sys; own = [m for m in sys.modules if m.removeprefix('_').startswith('spikelore')]; "
    code += "print(sorted(own), 'msgspec' in sys.modules)"
    job = probed(tmp_path, [sys.executable, "-c", code])
    own, _, heavy = job.stdout.strip().rpartition(" ")
    boot = {
        "_spikelore_boot",
        "spikelore",
        "spikelore.probes",
        "spikelore.probes.agent",
        "spikelore.probes.agent.boot",
    }
    assert set(ast.literal_eval(own)) <= boot
    assert heavy == "False"


@pytest.mark.parametrize("name", ["torch", "missing_module_xyz"])
def test_the_import_hook_leaves_modules_as_they_are(tmp_path: Path, name: str) -> None:
    """The awaited module has its own loader again, and a missing module is missing as before."""
    code = f"""
try:
    import {name}
    print(type({name}.__loader__).__name__, type({name}.__spec__.loader).__name__)
except ImportError as error:
    print(error)
import sys
print([type(f).__name__ for f in sys.meta_path if 'PostImport' in type(f).__name__])
"""
    job = probed(tmp_path, written(tmp_path, code))
    expected = "SourceFileLoader SourceFileLoader\n[]\n"
    if name != "torch":
        expected = f"No module named '{name}'\n['PostImport']\n"
    assert job.stdout == expected
