"""Dask workers as jobs of a batch system (SLURM, HTCondor and others), by dask-jobqueue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.errors import StriateError, nearest
from striate.scans.cluster import library

CLASSES = {
    "htcondor": "dask_jobqueue.HTCondorCluster",
    "local": "dask_jobqueue.local.LocalCluster",
    "lsf": "dask_jobqueue.LSFCluster",
    "moab": "dask_jobqueue.MoabCluster",
    "oar": "dask_jobqueue.OARCluster",
    "pbs": "dask_jobqueue.PBSCluster",
    "sge": "dask_jobqueue.SGECluster",
    "slurm": "dask_jobqueue.SLURMCluster",
}


@dataclass(frozen=True)
class BatchSystem:
    """Jobs that are submitted when a scan begins, and cancelled when it ends.

    Attributes
    ----------
    system
        ``slurm``, ``htcondor``, ``pbs``, ``sge``, ``lsf``, ``oar`` or ``moab``; ``local`` runs the
        jobs as processes of this machine, for a trial.
    configuration
        A YAML file in the form of dask-jobqueue: the settings of one job, ``cores`` and ``memory``
        at least, either by themselves or in a section ``jobqueue``, ``slurm`` as in Dask's own
        files.
    jobs
        How many to submit.
    """

    system: str
    configuration: str | os.PathLike[str]
    jobs: int = 1

    def settings(self) -> dict[str, Any]:
        """Return what the file says of a job.

        Raises
        ------
        StriateError
            If it cannot be read, or names what dask-jobqueue does not know.
        """
        if self.system not in CLASSES:
            raise StriateError(
                f"no batch system {self.system!r} is known: {nearest(self.system, CLASSES)}"
            )
        if self.jobs < 1:
            raise StriateError(f"{self.jobs} jobs are too few: submit at least one")
        found = _read(Path(self.configuration))
        for section in ("jobqueue", self.system):
            inner = found.get(section, found)
            if not isinstance(inner, dict):
                raise StriateError(f"{self.configuration}: {section} holds no settings")
            found = inner
        found = {str(name).replace("_", "-"): value for name, value in found.items()}
        library("dask_jobqueue")
        known = library("dask.config").get(f"jobqueue.{self.system}")
        for name in found:
            if name not in known:
                raise StriateError(
                    f"{self.configuration}: {name!r} is no setting of a job of {self.system}: "
                    f"{nearest(name, known)}"
                )
        for name in ("cores", "memory"):
            if found.get(name) is None:
                raise StriateError(
                    f"{self.configuration} does not say how much a job gets: give {name}, as in "
                    f"{name}: {'4' if name == 'cores' else '8GB'}"
                )
        usual = {"processes": 1, "scheduler-options": {"dashboard_address": ":0"}}
        return {**usual, **{name: value for name, value in found.items() if value is not None}}

    @property
    def slots(self) -> int:
        """Blocks at once when all jobs run: one for each core."""
        found = self.settings()
        return self.jobs * found["processes"] * max(1, found["cores"] // found["processes"])

    def cluster(self) -> Any:
        """Return the cluster of dask-jobqueue, with no jobs yet; ``job_script()`` shows one.

        Raises
        ------
        StriateError
            If dask-jobqueue does not take the settings.
        """
        home, _, name = CLASSES[self.system].rpartition(".")
        of_a_job = {key.replace("-", "_"): value for key, value in self.settings().items()}
        try:
            return getattr(library(home), name)(**of_a_job)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise StriateError(f"{self.configuration}: {reason}") from error

    @contextmanager
    def started(self) -> Iterator[Any]:
        """Submit the jobs; give the Dask cluster that they make, and cancel them at the end.

        Raises
        ------
        StriateError
            If the command that submits jobs is not found here.
        """
        with self.cluster() as cluster:
            submit = getattr(cluster.job_cls, "submit_command", None)
            if submit and shutil.which(submit.split()[0]) is None:
                raise StriateError(
                    f"{submit.split()[0]} is not found: begin the scan on a machine that submits "
                    f"jobs to {self.system}"
                )
            cluster.scale(jobs=self.jobs)
            yield cluster


def _read(path: Path) -> dict[str, Any]:
    yaml = library("yaml")
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StriateError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise StriateError(f"{path} is no YAML: {reason}") from None
    if not isinstance(found, dict):
        raise StriateError(f"{path} holds no settings: see striate grid --help")
    return found
