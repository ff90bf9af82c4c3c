/** Run by fake-timers-first.test.ts: loads the packages while jobs are replaced by functions that never call. */
const { queueMicrotask } = globalThis
const { nextTick } = process
globalThis.queueMicrotask = () => {}
process.nextTick = () => {}

const { createBatcher } = await import('@heddle/core')
const { DataLoader } = await import('@heddle/core/dataloader')
const batchers = (['immediate', 'microtask'] as const).map((coalesce) =>
  createBatcher<number, number>({ name: coalesce, coalesce, run: (ns) => ns }),
)
const loader = new DataLoader<number, number>(async (ns) => ns)
const all = (n: number): Promise<number[]> =>
  Promise.all([...batchers.map((batcher) => batcher.submit(n)), loader.load(n)])
const during = await all(1)
globalThis.queueMicrotask = queueMicrotask
process.nextTick = nextTick
console.log(JSON.stringify([during, await all(2)]))
