/** Submits whose promises nobody looks at, and that the engine refuses or ends. */
import { createKey, runRequest, Snapshot } from '@heddle/context'
import { RequestScope, runIn } from '@heddle/context/engine'
import { createBatcher } from '@heddle/core'

import { type Cases, hanging, turns, until } from './cases.ts'

const left = new Error('the caller left')
const tenant = createKey<string>('test.unobserved.tenant', { batch: 'partition' })

class AdaptedScope extends RequestScope {
  override adaptFailure(cause: Error): Error {
    return new Error('adapted', { cause })
  }
}

/** Its batch function never settles, so that what is submitted next waits. */
function busy(options: object = {}) {
  const batcher = createBatcher<string, string>({ name: 'busy', ...options, run: hanging })
  batcher.submit('first').catch(() => {})
  return batcher
}

export const refusals: Cases = {
  async 'aborted by its signal before'() {
    const batcher = createBatcher<string, string>({ name: 'idle', run: hanging })
    void batcher.submit('x', { signal: AbortSignal.abort(left) })
    void batcher.submit('x', { signal: AbortSignal.abort('no Error') })
  },
  async 'aborted by its scope before'() {
    const batcher = createBatcher<string, string>({ name: 'idle', run: hanging })
    runRequest({ signal: AbortSignal.abort(left) }, () => void batcher.submit('x'))
  },
  async 'the deadline of its scope has passed'() {
    const batcher = createBatcher<string, string>({ name: 'idle', run: hanging })
    await runRequest({ timeout: 1 }, async (scope) => {
      while (scope.elapsed() <= 1) await turns()
      void batcher.submit('x')
    })
  },
  async 'its scope has closed, and a partition key with it'() {
    const batcher = createBatcher<string, string>({ name: 'idle', run: hanging })
    const submit = runRequest({ entries: [tenant.of('acme')] }, () => {
      const snapshot = Snapshot.capture()
      return () => snapshot.run(() => void batcher.submit('x'))
    })
    submit()
  },
  async 'aborted while it waits, while it runs, in a scope'() {
    const batcher = busy()
    const controller = new AbortController()
    const { signal } = controller
    await turns()
    void batcher.submit('x', { signal })
    runRequest({ signal }, () => void batcher.submit('y'))
    const running = createBatcher<string, string>({ name: 'running', run: hanging })
    void running.submit('x', { signal })
    await turns()
    controller.abort(left)
  },
  async 'the deadline passes while it waits, while it runs'() {
    const batcher = busy()
    await turns()
    void batcher.submit('x', { timeout: 1 })
    const running = createBatcher<string, string>({ name: 'running', timeout: 1, run: hanging })
    void running.submit('x')
    await until(() => running.stats().rejected.DEADLINE_EXCEEDED === 1)
    await until(() => batcher.stats().rejected.DEADLINE_EXCEEDED === 1)
  },
  async 'the queue is full, for all or for its tenant'() {
    const batcher = busy({ maxQueueSize: 1 })
    await turns()
    batcher.submit('waits').catch(() => {})
    void batcher.submit('x')
    const shared = busy({ maxQueueSize: 4, tenantBy: (text: string) => text })
    for (const tenantOf of ['a', 'a', 'a']) void shared.submit(tenantOf)
  },
  async 'the batcher is closed, or closes too early'() {
    const closed = createBatcher<string, string>({ name: 'closed', run: hanging })
    void closed.close()
    void closed.submit('x')
    const closing = busy()
    await turns()
    void closing.submit('waits')
    void closing.close({ timeout: 0 })

    await until(() => closing.stats().rejected.BATCHER_CLOSED === 2)
  },
  async 'the item costs too much'() {
    const batcher = createBatcher<string, string>({
      name: 'costly',
      cost: () => 2,
      maxBatchCost: 1,
      run: hanging,
    })
    void batcher.submit('x')
  },
  async 'an option is invalid'() {
    const batcher = createBatcher<string, string>({ name: 'idle', run: hanging })
    void batcher.submit('x', { timeout: -1 })
    void batcher.close({ timeout: -1 })
  },
  async 'a function of the options throws'() {
    const fail = (): never => {
      throw new Error('thrown')
    }
    for (const option of ['cost', 'partitionBy', 'tenantBy', 'dedupeBy']) {
      const batcher = createBatcher<string, string>({ name: option, [option]: fail, run: hanging })
      void batcher.submit('x')
    }
  },
  async 'a batch function submits to its own batcher'() {
    const batcher = createBatcher<string, string>({
      name: 'own',
      run: async (inputs) => {
        void batcher.submit('again')
        return inputs
      },
    })
    await batcher.submit('x')
  },
  async 'one of several that wait for the same leaves'() {
    const batcher = createBatcher<string, string>({
      name: 'shared',
      dedupeBy: (text) => text,
      run: hanging,
    })
    const controller = new AbortController()
    void batcher.submit('x', { signal: controller.signal })
    void batcher.submit('x', { signal: controller.signal })
    await turns()
    void batcher.submit('x', { signal: controller.signal })
    controller.abort(left)
  },
  async 'the adapter of the protocol makes another error of it'() {
    const batcher = createBatcher<string, string>({ name: 'idle', run: hanging })
    const scope = new AdaptedScope({ signal: AbortSignal.abort(left) })
    runIn(scope, () => {
      void batcher.submit('x')
      void batcher.submit('x', { timeout: -1 })
    })
  },
  async 'all of `submitAll`, `drain` and `close`'() {
    const batcher = busy()
    void batcher.submitAll(['x', 'y'], { signal: AbortSignal.abort(left) })
    void batcher.drain()
    await turns()
    void batcher.close({ timeout: 0 })
    void batcher[Symbol.asyncDispose]()
    void batcher.submitAll(['x', 'y'])
  },
}
