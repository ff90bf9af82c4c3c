import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { createApp as createAfter } from './after.ts'
import { createApp as createBefore } from './before.ts'
import { loadData, TENANTS } from './data.ts'
import { openDatabase, type Database } from './database.ts'
import { createApp as createWithDataLoader } from './with-dataloader.ts'

interface App {
  request(path: string, init: RequestInit): Response | Promise<Response>
}

let database: Database
let apps: Record<'before' | 'after' | 'dataloader', App>

beforeAll(async () => {
  database = await openDatabase()
  await loadData(database)
  apps = {
    before: createBefore(database),
    after: createAfter(database),
    dataloader: createWithDataLoader(database),
  }
})

afterAll(() => database.close())

async function ask(app: App, path: string, tenant?: string): Promise<[number, any]> {
  const headers: Record<string, string> = { 'x-request-id': `${tenant}-${path.length}` }
  if (tenant !== undefined) headers['x-tenant'] = tenant
  const response = await app.request(path, { headers })
  const text = await response.text()
  return [response.status, text.startsWith('{') ? JSON.parse(text) : text]
}

const BERLIN = '/cities/2950159'
const PARIS = '/cities/nearest?lat=48.85341&lon=2.3488'

describe('the app before and after', () => {
  it.each([
    [BERLIN, 'acme'],
    [PARIS, 'globex'],
    ['/cities/999999999', 'acme'],
    ['/cities/x', 'acme'],
    ['/cities/99999999999', 'acme'],
    ['/cities/nearest?lat=91&lon=0', 'acme'],
    ['/cities/nearest?lat=1', 'acme'],
    [BERLIN, 'nobody'],
    [BERLIN, undefined],
    ['/nowhere', 'acme'],
  ])('gives the same answer to %s of %s', async (path, tenant) => {
    const [before, after] = await Promise.all([
      ask(apps.before, path, tenant),
      ask(apps.after, path, tenant),
    ])
    expect(after).toEqual(before)
  })

  it('knows the cities and each tenant’s distance to them', async () => {
    expect(await ask(apps.after, BERLIN, 'acme')).toMatchObject([
      200,
      { id: 2_950_159, name: 'Berlin', country: 'DE', tenant: 'acme', warehouse: 'Berlin' },
    ])
    const [, city] = await ask(apps.after, PARIS, 'globex')
    expect(city).toMatchObject({ name: 'Paris', tenant: 'globex', warehouse: 'Tokyo' })
    // Paris to Tokyo along the great circle.
    expect(city.distanceKm).toBeGreaterThan(9_600)
    expect(city.distanceKm).toBeLessThan(9_800)
  })
})

describe('many requests of several tenants at a time', () => {
  const tenants = Object.keys(TENANTS)

  async function answers(app: App): Promise<{ asked: string; got: string }[]> {
    return Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const asked = tenants[n % tenants.length] ?? ''
        const [, { tenant }] = await ask(app, n % 3 ? BERLIN : PARIS, asked)
        return { asked, got: tenant }
      }),
    )
  }

  it('share queries with Heddle, one for each tenant and route, and no answer is another’s', async () => {
    const before = database.queries
    for (const { asked, got } of await answers(apps.after)) expect(got).toBe(asked)
    expect(database.queries - before).toBe(2 * tenants.length)
  })

  it('are mixed up with DataLoader', async () => {
    const wrong = (await answers(apps.dataloader)).filter(({ asked, got }) => asked !== got)
    expect(wrong.length).toBeGreaterThan(0)
  })
})
