"""Reference pages are generated from code: this fails when one has drifted."""

import subprocess
from pathlib import Path

import pytest
from conftest import till_binary

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["api", "cli", "metrics", "settings", "tables"])
def test_page_equals_its_generator(page):
    made = subprocess.run(
        [till_binary(), "debug", "reference", page], capture_output=True, text=True, check=True
    ).stdout
    stored = (ROOT / "docs" / "reference" / f"{page}.md").read_text()
    assert made == stored, f"run: ./dev till debug reference {page} > docs/reference/{page}.md"
