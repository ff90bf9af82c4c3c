import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { SIZE } from './work.ts'

/**
 * The model in a thread of its own, one batch at a time.
 *
 * @returns a function from n inputs to n outputs; an input fills a row of the (n, 512) matrix
 */
export function startModel(file: string): (inputs: readonly number[]) => Promise<number[]> {
  const worker = new Worker(new URL('model-worker.ts', import.meta.url), { workerData: file })
  return async (inputs) => {
    const rows = new Float32Array(inputs.length * SIZE)
    for (const [index, input] of inputs.entries()) {
      rows.fill(input, index * SIZE, (index + 1) * SIZE)
    }
    const answered = once(worker, 'message') as Promise<[Float32Array]>
    worker.postMessage(rows, [rows.buffer])
    const [products] = await answered
    return inputs.map((_, index) => products[index * SIZE] ?? Number.NaN)
  }
}
