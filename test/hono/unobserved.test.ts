/** A client that leaves at any moment ends no process: nothing that a handler left alone is unhandled. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

/** ms in which a process starts and ends on a machine that is busy. */
const PATIENCE = 60_000

it(
  'clients that leave before, while and after a handler submits leave no unhandled rejection',
  async () => {
    const program = join(import.meta.dirname, 'unobserved.ts')
    const env = { ...process.env, NODE_NO_WARNINGS: '1' }
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env })
    expect(JSON.parse(stdout)).toEqual({
      visited: [
        '/before',
        '/late/submit',
        '/waiting',
        '/batched',
        '/route',
        '/silent',
        '/speaks',
        '/generated',
        '/unread',
      ],
      ended: 10,
      unhandled: [],
    })
  },
  PATIENCE,
)
