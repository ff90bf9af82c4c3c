import assert from 'node:assert/strict'

import { onAbort, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { Hono } from 'hono'
import { type SSEStreamingApi, stream, streamSSE } from 'hono/streaming'

/** An app whose clients leave, which counts its scopes. */
export class Restless {
  opened = 0
  closed = 0
  /** Scopes whose client has left, as the app was told. */
  left = 0
  readonly #batcher = createBatcher<number, number>({
    name: 'restless',
    maxBatchSize: 16,
    maxQueueSize: 32,
    run: async (inputs) => {
      await tick(2)
      return inputs
    },
  })
  readonly app: Hono<{ Variables: HeddleVariables }> = new Hono()

  constructor() {
    const { app } = this
    app.use('/late', heddle({ timeout: 3 }))
    app.use(heddle())
    app.use(async (c, next) => {
      const scope = scopeOf(c)
      this.opened += 1
      scope.onClose(() => {
        this.closed += 1
        if (!scope.signal.aborted || scope.signal.reason.name === 'TimeoutError') return
        assert.ok(scope.signal.reason instanceof Error)
        this.left += 1
      })
      await next()
    })
    app.get('/json', (c) => c.json({ ok: true }))
    app.get('/batched', async (c) => c.json(await this.#batcher.submit(1)))
    app.get('/late', async (c) => c.json(await this.#batcher.submit(2, { timeout: 1 })))
    app.get('/throws', () => {
      throw new Error('the handler failed')
    })
    app.get('/stream', (c) =>
      stream(c, async (out) => {
        for (let n = 0; n < 4 && !out.aborted; n += 1) {
          await out.write(String(n))
          await tick(2)
        }
      }),
    )
    app.get('/sse', (c) => {
      const first = this.#batcher.submit(3)
      const send = async (out: SSEStreamingApi): Promise<void> => {
        onAbort(scopeOf(c).signal, () => assert.ok(tryCurrent()))
        await out.writeSSE({ data: String(await first) })
        await out.writeSSE({ data: String(await this.#batcher.submit(4)) })
      }
      return streamSSE(c, send, async () => {})
    })
    app.onError((error, c) =>
      'getResponse' in error
        ? (error as { getResponse(): Response }).getResponse()
        : c.text('failed', 500),
    )
  }

  get stats(): { readonly queued: number; readonly inFlight: number } {
    return this.#batcher.stats()
  }
}

function tick(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
