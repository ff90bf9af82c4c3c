"""Writes the model of the bench, an ONNX file: (n, 512) · (512, 512) in float32.

python model.py matmul.onnx
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 512

# Known without the file, so that answers can be checked: see `outputOf` in work.ts.
weights = (np.arange(SIZE * SIZE, dtype=np.int64) % 13).astype(np.float32) / 13
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])],
    "matmul",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", SIZE])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", SIZE])],
    [numpy_helper.from_array(weights.reshape(SIZE, SIZE), "w")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
onnx.save(model, sys.argv[1])
