"""The parts of the documentation that come from the code are as the code is."""

import importlib.util
from pathlib import Path

GENERATE = Path(__file__).parents[1] / "docs/generate.py"


def test_generated_documents_are_current() -> None:
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, text in module.documents().items():
        assert path.read_text() == text, f"{path.name} is out of date: run `make docs`"
