"""What every importer has to keep, tried on the example that it carries."""

import inspect

import pytest
from spikelore.probes.importers import Importer, Sample, importers, sniff

from .logs import read

WITH_EXAMPLE = sorted(name for name, importer in importers().items() if importer.example)


def test_every_importer_keeps_the_protocol():
    """A format is found by its module alone, so nothing else checks its shape."""
    assert len(importers()) >= 30
    for name, importer in importers().items():
        assert isinstance(importer, Importer), name
        assert importer.name == name
        assert len(inspect.getdoc(type(importer)).split("\n\n")) >= 2, name


def test_only_binary_formats_have_no_example():
    """Every text format shows a few lines of itself."""
    assert set(importers()) - set(WITH_EXAMPLE) == {"mlflow", "mlflow-db", "tensorboard", "wandb-offline"}


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_an_example_is_recognised_by_content_alone(name, tmp_path):
    """The file's name says nothing here, and the importer of the example still wins."""
    path = tmp_path / "x"
    path.write_text(importers()[name].example)
    assert sniff(path) == name


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_an_example_is_read(name, tmp_path):
    """Every example holds a loss, and the importer that recognises it finds it."""
    imported = read(tmp_path, importers()[name].example)
    assert imported.result.losses >= 1
    assert imported.losses or imported.validation
    assert imported.run.manifest.state == "imported"
    assert imported.run.manifest.source == name


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_scores_are_shares(name, tmp_path):
    """Scores of different importers are compared, so they share one scale."""
    path = tmp_path / "x"
    path.write_text(importers()[name].example)
    sample = Sample(path)
    assert all(0 <= importer.sniff(sample) <= 1 for importer in importers().values())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"hello world\nthis is prose, with 3 numbers and 4 words\n",
        b"\x00\x01\x02\x03" * 64,
        b"\x7fELF\x02\x01\x01" + bytes(200),
        b"name,city\nann,paris\nbob,rome\n",
        b'{"version": 3, "sources": ["a.ts"], "mappings": "AAAA"}',
        b"import os\n\ndef loss(x):\n    return x + 1\n",
    ],
)
def test_what_is_no_log_is_not_recognised(content, tmp_path):
    """A folder of runs holds other files, and none of them may become a run."""
    path = tmp_path / "x"
    path.write_bytes(content)
    assert sniff(path) is None
