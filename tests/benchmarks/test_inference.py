from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import inference, inference_tables
from benchmarks.inference_programs import striate_program
from benchmarks.peers.jax_program import apply, convolve_lax
from benchmarks.workloads import WORKLOADS, make_inputs


def _outputs(prepare: Any, key: str, **options: Any) -> tuple[Any, Any]:
    workload = replace(WORKLOADS[key], images=3)
    given = make_inputs(workload)
    predictor = prepare(workload, given, **options)
    logits = np.asarray(apply(workload.layers, given.weights, given.images, convolve_lax))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    return predictor.predict(predictor.place(given.images)), logits if key == "N14" else softmax


@pytest.mark.parametrize("key", inference.NETWORKS)
@pytest.mark.parametrize("way", ["call", "predict"])
def test_striate_predicts_what_the_network_is(key: str, way: str) -> None:
    found, expected = _outputs(striate_program.prepare, key, way=way)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("key", inference.NETWORKS)
def test_the_onnx_graph_is_the_network(key: str) -> None:
    pytest.importorskip("onnxruntime", reason="the extra 'bench' is not installed")
    pytest.importorskip("onnx", reason="the extra 'bench' is not installed")
    from benchmarks.inference_programs import onnx_program

    found, expected = _outputs(onnx_program.prepare, key)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def _measured(program: str, repetition: int, seconds: float, **changes: Any) -> dict[str, Any]:
    return {
        "program": program,
        "repetition": repetition,
        "network": "N1",
        "batch": 256,
        "seconds": [seconds, 10.0, 0.0],
        "outputs": [[0.25, 0.75]],
    } | changes


def _result(*measurements: dict[str, Any]) -> dict[str, Any]:
    made = {
        "date": "2026-01-02",
        "command": "python -m benchmarks.inference",
        "machine": {"processor": "Abacus", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11"},
        "repetitions": 2,
        "seconds": 0.5,
    }
    return {
        "made": made,
        "missing": {"torch-eager-nchw": ["torch"]},
        "busy_cores": [0.0],
        "measurements": list(measurements),
        "failures": {},
    }


def test_ratios_are_taken_within_each_repetition() -> None:
    text = inference_tables.markdown(
        _result(
            _measured("striate-call", 1, 1e-3),
            _measured("onnxruntime", 1, 2e-3),
            _measured("striate-call", 2, 2e-3),
            _measured("onnxruntime", 2, 4e-3),
        )
    )
    assert "| onnxruntime | 3,000 (2,000-4,000) | 85,300 | 2.00 (2.00-2.00) |" in text
    assert "agree to 1e-05" in text
    assert "torch not installed" in text


def test_other_outputs_make_the_table_void() -> None:
    result = _result(
        _measured("striate-call", 1, 1e-3),
        _measured("striate-predict", 1, 1e-3),
        _measured("onnxruntime", 1, 1e-3, outputs=[[0.2501, 0.7499]]),
    )
    assert inference_tables.strangers(result) == ["onnxruntime on N1, batch 256: by 1e-04"]
    assert "**Void**" in inference_tables.markdown(result)


def test_unknown_networks_and_sizes_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert inference.main(["--networks", "N111"]) == 2
    assert inference.main(["--batches", "0"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("--networks: unknown network 'N111'")
    assert lines[1] == "--batches must be above zero"


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path: Path) -> None:
    status = inference.main(
        ["--quick", "--networks", "N12", "--programs", "striate", "--out", str(tmp_path)]
    )
    assert status == 0
    (file,) = tmp_path.glob("inference-*.json")
    result = json.loads(file.read_text())
    assert {(m["program"], m["batch"]) for m in result["measurements"]} == {
        (program, batch) for program in ("striate-call", "striate-predict") for batch in (1, 256)
    }
