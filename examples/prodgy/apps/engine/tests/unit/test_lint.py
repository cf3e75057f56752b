import subprocess
import sys


def test_ruff_has_no_complaint():
    run = subprocess.run([sys.executable, "-m", "ruff", "check", "."], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
