import { platform } from './clock.ts'
import { duplicateCarry } from './errors.ts'
import type { Key } from './key.ts'
import { isAdoption } from './own-stores/adopted-stores.ts'
import { type KeySlot, type MergeRule, registry } from './registry.ts'
import type { Carry } from './types.ts'
import { isDevelopment, warn } from './warning.ts'

/** Where a key stands in the registry. */
export type Place = Pick<KeySlot, 'index' | 'site'>

/**
 * The place of a key that is being created: a new one, or that of the key with `carry` whose module has been
 * evaluated again (`bun --hot`, Vite). A carrier knows such a key by its name, so both are one: what is set
 * through either is read through the other.
 *
 * @param below - the function whose caller creates the key
 * @throws ContextError `DUPLICATE_KEY` when two modules, or one evaluation of a module, create the same key
 */
export function placeOf(
  name: string,
  carry: Carry<any> | undefined,
  below: (...args: any[]) => unknown,
): Place {
  const next = registry.keys.length
  if (carry === undefined) return { index: next }
  const site = siteOf(below)
  const former = registry.carriedKeys.get(name)
  if (former !== undefined) assertReloaded(former, carry, site)
  if (createdNow.size === 0) platform.queueMicrotask(() => createdNow.clear())
  createdNow.add(name)
  return { index: former?.index ?? next, site }
}

/** Tells the process of a key. */
export function register(key: Key<any>, { site }: Place): void {
  const { name, index, redact, carry, isInherited } = key
  const rule = typeof key.rule === 'function' ? new WeakRef<MergeRule>(key.rule) : key.rule
  const record: KeySlot = { name, index, rule, redact, carry, site }
  const former = registry.keys[index]
  if (former) forget(former)
  registry.keys[index] = record
  if (rule !== 'hide') registry.sharedKeys.push(record)
  if (!isInherited) registry.droppedKeys.push(record)
  // One that is carried is known by its name for as long as the process lives.
  if (carry) registry.carriedKeys.set(name, record)
  else collected.register(key, record)
}

/** Names of keys with `carry` that were created since the event loop called the code that runs now. */
const createdNow = new Set<string>()

/** Nobody can set it, or read it, any more. */
const collected = new FinalizationRegistry<KeySlot>((record) => {
  forget(record)
  registry.keys[record.index] = undefined
})

function forget(record: KeySlot): void {
  for (const list of [registry.sharedKeys, registry.droppedKeys]) {
    const place = list.indexOf(record)
    if (place >= 0) list.splice(place, 1)
  }
}

function assertReloaded(former: KeySlot, carry: Carry<any>, site: string | undefined): void {
  const { name } = former
  if (isAdoption(former)) throw duplicateCarry(name, former.site, site)
  // A module is evaluated in one go, and again only later.
  if (createdNow.has(name)) throw duplicateCarry(name, former.site, site)
  if (site === undefined || former.site === undefined) {
    warnReplaced(name, 'it cannot be told which modules create them')
  } else if (fileOf(site) !== fileOf(former.site)) {
    throw duplicateCarry(name, former.site, site)
  } else if (carry.encode === former.carry?.encode && site !== former.site) {
    // Evaluated again, a module makes its functions anew, but it may import them from one that was not.
    warnReplaced(name, `its module creates one in ${former.site} and one in ${site}`)
  }
}

function warnReplaced(name: string, why: string): void {
  if (!isDevelopment()) return
  warn(
    'DUPLICATE_KEY',
    name,
    `There was a key \`${name}\` with \`carry\` already, and the new one has taken its place: ${why}. ` +
      'After a hot reload that is right. If there are two keys, give one of them another name.',
  )
}

/** Read for keys with `carry` alone, once each, since it takes some µs. */
function siteOf(below: (...args: any[]) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, below)
  // `    at Object.<anonymous> (file:1:2)`, or without a function's name `    at file:1:2`.
  const [frame] = holder.stack?.match(/^\s+at .*:\d+:\d+\)?$/m) ?? []
  return frame?.replace(/^\s+at (?:.*\()?(?:async )?(?:file:\/\/)?|\)$/g, '')
}

/** Without what a development server adds to the name: `tenant.ts?t=1700000000`. */
function fileOf(site: string): string {
  return site.replace(/(?:[?#].*)?:\d+:\d+$/, '')
}
