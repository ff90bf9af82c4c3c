/** A key that no carrier knows: what is left of it when this is evaluated again may be collected. */
import { type ContextKey, createKey, openBatchScope } from '@heddle/context'

const holder = globalThis as { merges?: number }

export const flags: ContextKey<number> = createKey<number>('test.reload.flags', {
  batch(): undefined {
    holder.merges = (holder.merges ?? 0) + 1
    return undefined
  },
})

/** How many merge functions of `flags` a batch calls: one for each that is still known. */
export function mergesOfBatch(): number {
  holder.merges = 0
  openBatchScope([], { name: 'reload' }).close()
  return holder.merges
}
