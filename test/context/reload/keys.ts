/** Evaluated again and again by `bun --hot` and Vite, whose tests put another number at the end. */
import { type ContextKey, createKey, runCarrier, runRequest, toCarrier } from '@heddle/context'

const VERSION = 1

/** What each evaluation has left, as a server does that goes on with old connections. */
interface Evaluation {
  readonly tenant: ContextKey<string>
}
const holder = globalThis as { evaluations?: Evaluation[] }
export const evaluations: Evaluation[] = (holder.evaluations ??= [])

export const tenant: ContextKey<string> = createKey('test.reload.tenant', {
  batch: 'partition',
  child: 'drop',
  carry: { encode: (value) => `${value} of ${VERSION}`, decode: (value) => value },
})

evaluations.push({ tenant })

/** What the newest key and the oldest one make of each other. */
export function report(): object {
  const oldest = evaluations[0]?.tenant ?? tenant
  return {
    evaluations: evaluations.length,
    carried: runRequest({ entries: [tenant.of('new')] }, () =>
      runCarrier(toCarrier(), () => tenant.get()),
    ),
    setByOldest: runRequest({ entries: [oldest.of('old')] }, () => [
      oldest.get(),
      tenant.get(),
      toCarrier().entries.map(([name]) => name),
    ]),
    setByNewest: runRequest({ entries: [tenant.of('new')] }, () => oldest.get()),
  }
}
