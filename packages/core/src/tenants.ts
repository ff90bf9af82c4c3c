import type { Item } from './item.ts'
import { Lane, type Linked } from './lane.ts'
import { Lanes, type Ranked } from './priority.ts'

/**
 * The share of the largest item that an item is charged at least, so that a tenant whose items cost
 * nothing takes its turns like the others.
 */
const LEAST_CHARGE = 1 / 1024

/** An item in the line of its tenant, besides its place in the partition's order of age. */
export class TenantEntry<I, O> implements Linked<TenantEntry<I, O>>, Ranked {
  previous: TenantEntry<I, O> | undefined
  next: TenantEntry<I, O> | undefined
  item: Item<I, O>
  readonly tenant: Tenant<I, O>
  readonly priority: number
  readonly rank: number
  readonly sequence: number

  constructor(item: Item<I, O>, tenant: Tenant<I, O>) {
    this.item = item
    this.tenant = tenant
    this.priority = item.priority
    this.rank = item.rank
    this.sequence = item.sequence
  }
}

class Tenant<I, O> implements Linked<Tenant<I, O>> {
  previous: Tenant<I, O> | undefined
  next: Tenant<I, O> | undefined
  readonly key: string
  readonly lanes: Lanes<TenantEntry<I, O>> = new Lanes()
  /** What it may still spend in its turn, in cost units. */
  deficit = 0
  isAtTurn = false

  constructor(key: string) {
    this.key = key
  }
}

/**
 * Deficit round robin (Shreedhar and Varghese 1995) between the tenants of a partition, in cost units:
 * whatever one tenant has waiting, the others get their turns. A turn is worth the largest item seen, so
 * each turn takes at least one item, and with equal costs exactly one. A tenant with nothing waiting is
 * not kept.
 */
export class TenantRing<I, O> {
  readonly #tenants = new Map<string, Tenant<I, O>>()
  /** The first one is at its turn. */
  readonly #ring = new Lane<Tenant<I, O>>()
  /** What a turn is worth: the largest cost seen. */
  #quantum = 0

  add(item: Item<I, O>): void {
    let tenant = this.#tenants.get(item.tenant)
    if (tenant === undefined) {
      tenant = new Tenant(item.tenant)
      this.#tenants.set(tenant.key, tenant)
      this.#ring.add(tenant)
    }
    this.#quantum = Math.max(this.#quantum, item.cost)
    const entry = new TenantEntry(item, tenant)
    item.extend().tenantEntry = entry
    tenant.lanes.add(entry)
  }

  remove(item: Item<I, O>): void {
    const { extras } = item
    const entry = extras?.tenantEntry
    if (extras === undefined || entry === undefined) return
    const { tenant } = entry
    tenant.lanes.remove(entry)
    extras.tenantEntry = undefined
    if (tenant.lanes.first !== undefined) return
    this.#ring.remove(tenant)
    this.#tenants.delete(tenant.key)
  }

  replace(item: Item<I, O>, heir: Item<I, O>): void {
    const { extras } = item
    const entry = extras?.tenantEntry
    if (extras === undefined || entry === undefined) return
    entry.item = heir
    heir.extend().tenantEntry = entry
    extras.tenantEntry = undefined
  }

  /** The item whose turn it is; the same until something is added, removed or charged. */
  peek(): Item<I, O> | undefined {
    for (let { first } = this.#ring; first; first = this.#ring.first) {
      if (!first.isAtTurn) {
        first.isAtTurn = true
        first.deficit += this.#quantum || 1
      }
      const head = first.lanes.first
      if (head && this.#charge(head.item) <= first.deficit) return head.item
      first.isAtTurn = false
      this.#ring.remove(first)
      this.#ring.add(first)
    }
    return undefined
  }

  /** The item goes into a batch. */
  charge(item: Item<I, O>): void {
    const entry = item.extras?.tenantEntry
    if (entry) entry.tenant.deficit -= this.#charge(item)
  }

  #charge({ cost }: Item<I, O>): number {
    // While nothing costs anything, each item counts the same.
    return this.#quantum === 0 ? 1 : Math.max(cost, this.#quantum * LEAST_CHARGE)
  }
}
