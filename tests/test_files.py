"""Files are written whole or not at all, and what a kill leaves is removed, and nothing else."""

import subprocess
import sys

from striate.files import remove_half_written, write_json

KILLED = """
import os, signal, sys
from pathlib import Path
from striate.files import written_beside
for name in ("one.json", "below/block-000.npz", "plain"):
    if os.fork() == 0:
        with written_beside(Path(sys.argv[1]) / name) as beside:
            beside.write_text("half of it")
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.wait()[1] == signal.SIGKILL
"""


def test_what_a_kill_leaves_is_removed(tmp_path):
    kept = [tmp_path / name for name in (".hidden.json", ".notes.8chars_1.more.txt", "below/a.npz")]
    (tmp_path / "below").mkdir()
    (tmp_path / ".folder.abcdefgh").mkdir()
    for path in kept:
        path.write_text("mine")
    write_json(tmp_path / "whole.json", [1])
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=True)
    left = {path.name.split(".")[1] for path in tmp_path.rglob(".*.????????*") if path.is_file()}
    assert left == {"one", "block-000", "plain", "notes"}
    remove_half_written(tmp_path)
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {*kept, tmp_path / "whole.json"}
    assert (tmp_path / ".folder.abcdefgh").is_dir()
