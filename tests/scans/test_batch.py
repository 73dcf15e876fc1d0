"""Jobs of a batch system: what a file says of them, and that workers come."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from striate.errors import StriateError
from striate.scans import BatchSystem
from striate.scans.cluster import connected

# Not importorskip: an import by itself changes what Ctrl-C does to all tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(
        importlib.util.find_spec("dask_jobqueue") is None,
        reason="the extra 'cluster' is not installed",
    ),
]

SLURM = """\
jobqueue:
  slurm:
    cores: 4
    memory: 8GB
    queue: short
    walltime: "02:00:00"
    job-extra-directives: ["--constraint=avx512"]
"""


def batch(folder, text, system="slurm", jobs=3):
    file = folder / "job.yaml"
    file.write_text(text)
    return BatchSystem(system, file, jobs)


def test_a_slurm_job_is_what_the_file_says(tmp_path):
    system = batch(tmp_path, SLURM)
    assert system.slots == 12
    with system.cluster() as cluster:
        script = cluster.job_script()
    for line in ("-p short", "--mem=8G", "-t 02:00:00", "--constraint=avx512", "--cpus-per-task=4"):
        assert f"#SBATCH {line}" in script
    assert "--nthreads 4" in script


def test_a_condor_job_is_what_the_file_says(tmp_path):
    system = batch(tmp_path, "cores: 2\nmemory: 4GB\ndisk: 1GB\nprocesses: 2\n", "htcondor")
    assert system.slots == 6
    with system.cluster() as cluster:
        script = cluster.job_script()
    assert "RequestCpus = MY.DaskWorkerCores" in script
    assert "DaskWorkerDisk = 1000000000" in script


def test_where_no_jobs_can_be_submitted_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StriateError, match="sbatch is not found"):
        connected(batch(tmp_path, SLURM)).__enter__()


def test_workers_of_jobs_are_counted_and_ended(tmp_path, monkeypatch):
    with connected(batch(tmp_path, "cores: 2\nmemory: 1GB\n", "local", 1)) as cluster:
        assert (cluster.slots, cluster.threads) == (2, 2)
        assert cluster.memory_limit(None) == pytest.approx(0.5e9, rel=0.1)
        assert cluster.memory_limit("2 GB") == 2e9
        address = cluster.client.scheduler.address
    monkeypatch.setattr("striate.scans.cluster._ANSWER_SECONDS", 1)
    with pytest.raises(StriateError, match="no Dask scheduler answers"):
        connected(address).__enter__()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cores: 4\n", "does not say how much a job gets: give memory"),
        ("cores: 4\nmemory: 1GB\nqueu: short\n", "'queu' is no setting.*did you mean 'queue'"),
        ("- 1\n", "holds no settings"),
        ("slurm: 4\n", "slurm holds no settings"),
        ("cores: [", "is no YAML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(text, message, tmp_path):
    with pytest.raises(StriateError, match=message) as refused:
        batch(tmp_path, text).settings()
    assert "\n" not in str(refused.value)


def test_what_is_no_batch_system_is_refused(tmp_path):
    with pytest.raises(StriateError, match="did you mean 'slurm'"):
        batch(tmp_path, SLURM, "slrum").settings()
    with pytest.raises(StriateError, match="too few"):
        batch(tmp_path, SLURM, jobs=0).settings()
    with pytest.raises(StriateError, match="cannot be read: No such file"):
        BatchSystem("slurm", tmp_path / "none.yaml").settings()


def test_ctrl_c_stays_what_it_was():
    program = """
import signal
from striate.scans.cluster import library
library("dask_jobqueue")
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "interrupted\n"
