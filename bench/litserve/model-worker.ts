import { parentPort, workerData } from 'node:worker_threads'

import { InferenceSession, Tensor } from 'onnxruntime-node'

import { SIZE } from './work.ts'

const session = await InferenceSession.create(workerData as string, { intraOpNumThreads: 1 })

parentPort?.on('message', (rows: Float32Array) => void answer(rows))

async function answer(rows: Float32Array): Promise<void> {
  const x = new Tensor('float32', rows, [rows.length / SIZE, SIZE])
  const { y } = await session.run({ x })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(y?.data)
}
