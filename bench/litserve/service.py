"""The service in LitServe: `POST /predict` with {"input": number}, one worker, batches.

python service.py PORT WORK MAX_BATCH_SIZE [MODEL]   where WORK is `sleep` or `matmul`

An answer is {"output": number, "size": how many were in its batch}.
"""

import sys
import time

import litserve as ls
import numpy as np

SIZE = 512
BATCH_SECONDS = 0.005
# What suits it best here: 0 makes a worker spin, and 0.01 gave fewer requests per second.
BATCH_TIMEOUT = 0.005


class Batched(ls.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        return request["input"]

    def batch(self, inputs):
        return inputs

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        value, size = output
        return {"output": value, "size": size}


class Sleep(Batched):
    def predict(self, inputs):
        time.sleep(BATCH_SECONDS)
        return [(value * value, len(inputs)) for value in inputs]


class Matmul(Batched):
    def setup(self, device):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[4], options)

    def predict(self, inputs):
        x = np.repeat(np.array(inputs, dtype=np.float32)[:, None], SIZE, axis=1)
        (y,) = self.session.run(None, {"x": x})
        return [(float(row[0]), len(inputs)) for row in y]


if __name__ == "__main__":
    port, work, max_batch_size = sys.argv[1:4]
    api = {"sleep": Sleep, "matmul": Matmul}[work](
        max_batch_size=int(max_batch_size), batch_timeout=BATCH_TIMEOUT
    )
    server = ls.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=False)
    server.run(
        host="127.0.0.1",
        port=int(port),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
    )
