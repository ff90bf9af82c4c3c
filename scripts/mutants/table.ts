/** A way to break a rule of ARCHITECTURE.md, and the test that must notice. */
export interface Mutant {
  readonly name: string
  readonly rule: string
  readonly file: string
  /** What is to stand in the place of what; the first must stand in the file exactly once. */
  readonly replace: readonly [from: string, to: string]
  readonly test: string
}

const context = 'packages/context/src'
const core = 'packages/core/src'

export const mutants: readonly Mutant[] = [
  {
    name: 'neutral-ground',
    rule: 'R1 the batch function runs on neutral ground',
    file: `${context}/neutral.ts`,
    replace: ['return enterResource(registry.neutral, fn)', 'return fn()'],
    test: 'test/hono/isolation.test.ts',
  },
  {
    name: 'neutral-ground-core',
    rule: 'R1 the batch function runs on neutral ground',
    file: `${context}/neutral.ts`,
    replace: ['return enterResource(registry.neutral, fn)', 'return fn()'],
    test: 'test/core/isolation.test.ts',
  },
  {
    name: 'neutral-batch-scope',
    rule: 'R1 a batch scope is on neutral ground',
    file: `${context}/batch-scope.ts`,
    replace: ['return runNeutral(() => storage.run(this, fn))', 'return storage.run(this, fn)'],
    test: 'test/context/batch-scope.test.ts',
  },
  {
    name: 'batch-of-one',
    rule: 'R1 no special case for a batch of one',
    file: `${core}/execution.ts`,
    replace: [
      'if (instruments.length === 0) void scope.run(call)',
      'if (this.items.length === 1) this.items[0]!.runInAsyncScope(() => void call())\n      else if (instruments.length === 0) void scope.run(call)',
    ],
    test: 'test/core/isolation.test.ts',
  },
  {
    name: 'hidden-key',
    rule: 'R1 a batch shows no value that a key does not allow',
    file: `${context}/key.ts`,
    replace: ["if (batch !== 'hide') registry.sharedKeys.push", 'registry.sharedKeys.push'],
    test: 'test/context/batch-scope.test.ts',
  },
  {
    name: 'neutral-on-settle',
    rule: 'R1 hooks run on neutral ground',
    file: `${core}/report.ts`,
    replace: ['runNeutral(() => {', ';[0].forEach(() => {'],
    test: 'test/core/instrument.test.ts',
  },
  {
    name: 'neutral-timer',
    rule: 'R1 timers run on neutral ground',
    file: `${core}/alarm.ts`,
    replace: [
      'runNeutral(() => clock.setTimeout(this.#fired, delay))',
      'clock.setTimeout(this.#fired, delay)',
    ],
    test: 'test/core/retention.test.ts',
  },
  {
    name: 'neutral-abort',
    rule: 'R1 listeners of a batch run on neutral ground',
    file: `${core}/execution.ts`,
    replace: [
      'runNeutral(() => this.#controller?.abort(reason))',
      'this.#controller?.abort(reason)',
    ],
    test: 'test/core/isolation.test.ts',
  },
  {
    name: 'enter-with',
    rule: 'R2 only the parts of node:async_hooks that do not leak',
    file: `${context}/run.ts`,
    replace: ['return storage.run(child, fn)', 'storage.enterWith(child)\n  return fn()'],
    test: 'test/packages/imports.test.ts',
  },
  {
    name: 'second-storage',
    rule: 'R3 one AsyncLocalStorage in the process',
    file: `${core}/waiters.ts`,
    replace: [
      'export class Waiters {',
      "import { AsyncLocalStorage } from 'node:async_hooks'\nvoid new AsyncLocalStorage()\nexport class Waiters {",
    ],
    test: 'test/packages/imports.test.ts',
  },
  {
    name: 'storage-per-copy',
    rule: 'R3 copies of the package share the storage',
    file: `${context}/registry.ts`,
    replace: ['(holder[REGISTRY] ??= {', '({'],
    test: 'test/packages/copies.test.ts',
  },
  {
    name: 'import-to-the-right',
    rule: 'a package never imports to its right',
    file: `${core}/waiters.ts`,
    replace: ['export class Waiters {', "import 'hono'\nexport class Waiters {"],
    test: 'test/packages/imports.test.ts',
  },
  {
    name: 'thenables',
    rule: 'R4 native promises only',
    file: `${context}/run.ts`,
    replace: [
      'if (result instanceof Promise) {',
      "if (((value: any): value is Promise<R> => typeof value?.then === 'function')(result)) {",
    ],
    test: 'test/context/scope.test.ts',
  },
  {
    name: 'early-binding',
    rule: 'R5 an item binds to a batch only when a slot is free',
    file: `${core}/scheduler.ts`,
    replace: ['return this.#starter.inFlight < this.#options.maxConcurrency', 'return true'],
    test: 'test/core/batching.test.ts',
  },
  {
    name: 'slot-freed-on-abort',
    rule: 'R6 the slot is released when the batch function settles',
    file: `${core}/execution.ts`,
    replace: [
      'this.#abortReason = reason\n',
      "this.#abortReason = reason\n    this.#owner.finished(this, 'returned')\n",
    ],
    test: 'test/core/batching.test.ts',
  },
  {
    name: 'first-leaver-aborts',
    rule: 'R7 the batch is aborted only when all members are gone',
    file: `${core}/execution.ts`,
    replace: ['if (this.#waiting === 0) this.abort(reason)', 'this.abort(reason)'],
    test: 'test/core/cancellation.test.ts',
  },
  {
    name: 'nobody-aborts',
    rule: 'R7 the batch is aborted when all members are gone',
    file: `${core}/execution.ts`,
    replace: ['if (this.#waiting === 0) this.abort(reason)', ''],
    test: 'test/core/cancellation.test.ts',
  },
  {
    name: 'throwing-hook',
    rule: 'R8 nothing a hook throws changes anything',
    file: `${core}/instrument.ts`,
    replace: ['reportHook(failed, name, error)\n', 'throw error\n'],
    test: 'test/core/instrument.test.ts',
  },
  {
    name: 'throwing-cost',
    rule: 'R8 what `cost` throws rejects that submit alone',
    file: `${core}/admission.ts`,
    replace: [
      "return refuse('BATCH_FAILED', `the item",
      "throw cause ?? refuse('BATCH_FAILED', `the item",
    ],
    test: 'test/core/misuse.test.ts',
  },
  {
    name: 'shared-error',
    rule: 'R8 no two callers receive the same error object',
    file: `${core}/settlement.ts`,
    replace: ['if (!delivered.has(error)) {', 'if (error) {'],
    test: 'test/core/settlement.test.ts',
  },
  {
    name: 'wrong-number-of-results',
    rule: 'R8 a wrong number of results hangs no caller',
    file: `${core}/settlement.ts`,
    replace: [
      "if (mismatch) this.#failAll('RESULT_MISMATCH', mismatch)",
      'if (mismatch === "") return',
    ],
    test: 'test/core/settlement.test.ts',
  },
  {
    name: 'slots-stay',
    rule: 'R9 a closed scope holds no value',
    file: `${context}/scope.ts`,
    replace: ["this.ownState = 'closed'\n    this.empty()\n", "this.ownState = 'closed'\n"],
    test: 'test/context/scope.test.ts',
  },
  {
    name: 'slots-of-children-stay',
    rule: 'R9 a closed scope holds no value of a child',
    file: `${context}/scope.ts`,
    replace: ['reference.deref()?.empty()', 'reference.deref()'],
    test: 'test/context/scope.test.ts',
  },
  {
    name: 'item-keeps-request',
    rule: 'R9 a settled item lets its request go',
    file: `${core}/item.ts`,
    replace: ['this.release()\n', '\n'],
    test: 'test/core/isolation.test.ts',
  },
  {
    name: 'item-keeps-listener',
    rule: 'R9 a settled item leaves its signal',
    file: `${core}/item.ts`,
    replace: ["this.#source?.removeEventListener('abort', this)", ''],
    test: 'test/core/cancellation.test.ts',
  },
  {
    name: 'snapshot-stays',
    rule: 'R9 a settled batch holds no snapshot',
    file: `${core}/batch-item.ts`,
    replace: ['this.#snapshot.release()', ''],
    test: 'test/core/isolation.test.ts',
  },
  {
    name: 'deadline-stays',
    rule: 'R9 a settled item is not kept until its deadline',
    file: `${core}/engine.ts`,
    replace: [
      'this.#deadlines.remove(item)\n',
      'if ((item.deadline ?? 0) <= performance.now()) this.#deadlines.remove(item)\n',
    ],
    test: 'test/core/retention.test.ts',
  },
  {
    name: 'batch-stays',
    rule: 'R9 a settled batch that is kept holds no item',
    file: `${core}/execution.ts`,
    replace: ['view.close()', ''],
    test: 'test/core/retention.test.ts',
  },
  {
    name: 'unhandled-rejection',
    rule: 'R8 a caller that has left causes no unhandled rejection',
    file: `${core}/engine.ts`,
    replace: ['item.promise.catch(ignore)', 'void ignore'],
    test: 'test/core/settlement.test.ts',
  },
  {
    name: 'first-waiter-wins',
    rule: 'R10 an item that several wait for is in the context of none',
    file: `${core}/batch-item.ts`,
    replace: [
      'items.length === 1 ? this.#snapshotOf(item).run(fn) : this.#merged(items).run(fn)',
      'this.#snapshotOf(item).run(fn)',
    ],
    test: 'test/core/sharing.test.ts',
  },
  {
    name: 'batch-of-first-waiters',
    rule: 'R10 a batch is made of all that wait for it',
    file: `${core}/execution.ts`,
    replace: ['this.items.flatMap(waitersOf) : this.items', 'this.items : this.items'],
    test: 'test/core/sharing.test.ts',
  },
  {
    name: 'leaver-takes-the-work',
    rule: 'R10 work stays as long as somebody waits for it',
    file: `${core}/engine.ts`,
    replace: [
      'const heir = this.#sharing.leave(item)',
      'const heir = this.#sharing.leave(item) && undefined',
    ],
    test: 'test/core/sharing.test.ts',
  },
  {
    name: 'tenants-by-age',
    rule: 'tenants take turns, whatever one of them has waiting',
    file: `${core}/queue.ts`,
    replace: [
      'return this.#tenants ? this.#tenants.peek() : this.#lanes.first',
      'return this.#lanes.first',
    ],
    test: 'test/core/priority.test.ts',
  },
  {
    name: 'strict-classes',
    rule: 'an item of a low priority does not starve',
    file: `${core}/admission.ts`,
    replace: ['item.priority * options.ageing', 'item.priority * 1e9'],
    test: 'test/core/priority.test.ts',
  },
  {
    name: 'shed-for-ever',
    rule: 'R8 an estimate that is wrong can be proved wrong',
    file: `${core}/formation.ts`,
    replace: ['items.push(...fitting)', 'late.push(...fitting)'],
    test: 'test/core/overload.test.ts',
  },
  {
    name: 'linger-from-submit',
    rule: 'a linger begins when a slot is free',
    file: `${core}/scheduler.ts`,
    replace: ['Math.max(this.#slotFreeSince, partition.waitingSince)', 'partition.waitingSince'],
    test: 'test/core/model/engine-model.test.ts',
  },
  {
    name: 'uncharged-tenant',
    rule: 'a tenant pays for its turn',
    file: `${core}/formation.ts`,
    replace: ['partition.charge(item)', 'void partition'],
    test: 'test/core/model/engine-model.test.ts',
  },
  {
    name: 'skips-what-does-not-fit',
    rule: 'the first item that does not fit ends a batch',
    file: `${core}/formation.ts`,
    replace: [
      "why = 'cost'\n      break",
      'queue.remove(item)\n      late.push(item)\n      continue',
    ],
    test: 'test/core/model/engine-model.test.ts',
  },
  {
    name: 'place-is-not-inherited',
    rule: 'R10 who leaves takes no place away',
    file: `${core}/engine.ts`,
    replace: [
      'if (item.partition) this.#queue.replace(item, heir)',
      'if (item.partition) this.#queue.remove(item)',
    ],
    test: 'test/core/model/engine-model.test.ts',
  },
  {
    name: 'halves-are-forgotten',
    rule: 'R8 nobody hangs whose batch has failed',
    file: `${core}/slots.ts`,
    replace: ['!this.#startRest(slot, execution)', 'slot.rest.length >= 0'],
    test: 'test/core/bisect.test.ts',
  },
  {
    name: 'unbounded-buffer',
    rule: 'a stream batcher asks for no more than fits',
    file: `${core}/streams/driver.ts`,
    replace: ['channel.buffered >= this.#options.maxBuffered', 'channel.buffered < 0'],
    test: 'test/core/streams/stream-batcher.test.ts',
  },
  {
    name: 'ended-by-who-left',
    rule: 'R1 a generator is ended in its batch',
    file: `${core}/streams/driver.ts`,
    replace: [
      "signal.addEventListener('abort', this.#changed, { once: true })",
      "signal.addEventListener('abort', () => void chunks.return?.(), { once: true })",
    ],
    test: 'test/core/streams/generator.test.ts',
  },
  {
    name: 'one-error-for-streams',
    rule: 'R8 two consumers never get one error object',
    file: `${core}/execution.ts`,
    replace: [
      'this.#settlement.settleOne(index, outcome.reason as Error)',
      'this.#owner.settle(item, outcome)',
    ],
    test: 'test/core/streams/generator.test.ts',
  },
  {
    name: 'step-by-label',
    rule: 'items that differ in a partition key never share a step',
    file: `${core}/execution.ts`,
    replace: ['this.partitionKey = key', 'this.partitionKey = label'],
    test: 'test/core/streams/continuous-context.test.ts',
  },
  {
    name: 'step-of-the-first',
    rule: 'R1 a step runs on neutral ground',
    file: `${core}/streams/stepper.ts`,
    replace: [
      'return await scope.run(async () => {',
      'return await seats[0]!.active.item.run(async () => {',
    ],
    test: 'test/core/streams/continuous-context.test.ts',
  },
  {
    name: 'end-during-step',
    rule: 'R6 a state has its end when no step has it',
    file: `${core}/streams/seat.ts`,
    replace: [
      'if (this.#isStepping) this.#owner.left(this.#signal.reason)\n    else this.#vacate()',
      'this.#owner.left(this.#signal.reason)\n    this.#vacate()',
    ],
    test: 'test/core/streams/continuous-endings.test.ts',
  },
  {
    name: 'no-end-for-who-left-early',
    rule: 'R8 every state has its end',
    file: `${core}/streams/seat.ts`,
    replace: [
      'if (this.#signal.aborted) {\n      this.#abort()\n      return\n    }',
      'if (this.#signal.aborted) this.#resolve?.()',
    ],
    test: 'test/core/streams/continuous-endings.test.ts',
  },
  {
    name: 'paused-steps-on',
    rule: 'an item whose buffer is full is left out of steps',
    file: `${core}/streams/seat.ts`,
    replace: ['return !this.#hasLeft && !this.#isPaused', 'return !this.#hasLeft'],
    test: 'test/core/streams/continuous-batcher.test.ts',
  },
  {
    name: 'place-is-free-late',
    rule: 'who gets a place joins the very next step',
    file: `${core}/streams/stepper.ts`,
    replace: [
      'afterPromises(() => clock.setImmediate(this.#turn))',
      'clock.setImmediate(this.#turn)',
    ],
    test: 'test/core/streams/continuous-batcher.test.ts',
  },
  {
    name: 'steps-overlap',
    rule: 'steps of a partition come one after the other',
    file: `${core}/streams/stepper.ts`,
    replace: ['this.#turnRequested || this.#running !== undefined ||', 'this.#turnRequested ||'],
    test: 'test/core/streams/continuous-property.test.ts',
  },
  {
    name: 'kept-seat',
    rule: 'R9 an error that is kept leads to no request',
    file: `${core}/streams/stream-handle.ts`,
    replace: ['(error: unknown) => {\n        waiting = undefined\n', '(error: unknown) => {\n'],
    test: 'test/core/streams/retention.test.ts',
  },
  {
    name: 'early-end-waits-on',
    rule: 'R7 who has its outcome is no member that waits',
    file: `${core}/execution.ts`,
    replace: ["this.left(new DOMException('Every", "void (new DOMException('Every"],
    test: 'test/core/streams/stream-batcher.test.ts',
  },
  {
    name: 'partition-key',
    rule: 'members that differ in a partition key never share a batch',
    file: `${context}/partition.ts`,
    replace: [
      "key.rule === 'partition' ? base.read(key.index, key.name) : undefined",
      'undefined as unknown',
    ],
    test: 'test/core/partition.test.ts',
  },
]
