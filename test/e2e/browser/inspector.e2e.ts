/** The inspector as somebody sees, hears and uses it, in a real browser and under load. */
import { join } from 'node:path'

import { hrTimeToMicroseconds } from '@opentelemetry/core'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { findChromium } from './chromium.ts'
import { openSite, type Site } from './site.ts'

const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 375, height: 760 }

let site: Site
let browser: Browser
let page: Page
/** What the page has complained about, its content security policy included. */
let complaints: string[] = []

beforeAll(async () => {
  site = await openSite()
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('Expected a Chromium: see main.ts')
  // Inside a container there is no sandbox to be had; the page is our own.
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})

afterAll(async () => {
  await browser?.close()
  await site?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  complaints = []
  page = await browser.newPage({ viewport: WIDE })
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(site.inspector)
})

afterEach(async () => {
  await page.close()
  if (complaints.length > 0) throw new Error(`The page complained: ${complaints.join('\n')}`)
})

const lane = (name: string): Locator => page.getByRole('region', { name, exact: true })
const timeline = (): Locator => page.getByRole('application', { name: 'Batches over time' })
const panel = (): Locator => page.getByRole('complementary', { name: 'Selected' })
const requests = (): Locator => panel().getByRole('listbox')
const said = (): Locator => page.getByRole('status')

/** Lanes are there, with batches in them. */
async function opened(): Promise<void> {
  for (const name of ['cities', 'nearest']) {
    await lane(name).getByText('Batch size').waitFor()
    await page.waitForFunction(
      (element) => Number(element?.textContent) > 0,
      await lane(name).locator('.metric strong').nth(1).elementHandle(),
    )
  }
}

async function clickABatch(name: string): Promise<void> {
  const box = await lane(name).locator('> canvas').boundingBox()
  const { x = 0, y = 0, width = 0, height = 0 } = box ?? {}
  // They move while it aims.
  for (let left = width - 30; left > 0 && (await panel().isHidden()); left -= 10) {
    await page.mouse.click(x + left, y + height - 24)
  }
  await panel().waitFor()
}

async function numberOf(name: string): Promise<number> {
  return Number(await panel().locator(`data[data-name=${name}]`).getAttribute('value'))
}

/** Pixels of the picture that have the colour of the outline, which nothing else in it has. */
function outlined(name: string): Promise<number> {
  return lane(name)
    .locator('> canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      const style = getComputedStyle(document.documentElement)
      const wanted = Number.parseInt(style.getPropertyValue('--text').trim().slice(1), 16)
      // A copy, so that the picture itself stays where it is drawn fastest.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!
      copy.drawImage(canvas, 0, 0)
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
      let count = 0
      for (let n = 0; n < data.length; n += 4) {
        const colour = data[n]! * 0x1_00_00 + data[n + 1]! * 0x1_00 + data[n + 2]!
        if (colour === wanted && data[n + 3] === 255) count += 1
      }
      return count
    })
}

function overflow(): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
}

describe('the inspector', () => {
  it('shows a lane for each batcher while it runs', async () => {
    await opened()
    expect(await page.getByText('Live', { exact: true }).isVisible()).toBe(true)
    const rate = lane('cities').locator('.rate')
    await page.waitForFunction(
      (element) => Number.parseFloat(element?.textContent ?? '') > 0,
      await rate.elementHandle(),
    )
  })

  it('shows the numbers of a request and its batch, which are those of its spans', async () => {
    await opened()
    expect(await outlined('cities')).toBe(0)
    await clickABatch('cities')
    expect(await page.getByText('Paused', { exact: true }).isVisible()).toBe(true)
    await requests().getByRole('option').nth(1).click()
    await page.waitForTimeout(600)
    expect(await outlined('cities')).toBeGreaterThan(20)
    expect(await outlined('nearest')).toBe(0)

    const spans = site.spansOf((await panel().locator('.trace code').textContent()) ?? '')
    const execute = spans.find(({ name }) => name === 'execute cities')
    const wait = spans.find(({ name }) => name === 'wait cities')
    const micros = await Promise.all(
      ['queue', 'run', 'total'].map(async (name) => Math.round((await numberOf(name)) * 1000)),
    )
    const queued = Number(execute?.attributes['heddle.item.time_in_queue']) * 1e6
    const ran = hrTimeToMicroseconds(execute?.duration ?? [0, 0])
    const waited = hrTimeToMicroseconds(wait?.duration ?? [0, 0])
    // Spans begin and end at whole µs, and a wait ends 1 µs before the execution begins.
    expect(Math.abs(micros[0]! - queued)).toBeLessThanOrEqual(1)
    expect(Math.abs(micros[0]! - waited)).toBeLessThanOrEqual(2)
    expect(Math.abs(micros[1]! - ran)).toBeLessThanOrEqual(2)
    expect(micros[2]).toBe(micros[0]! + micros[1]!)
    expect(await numberOf('size')).toBe(execute?.attributes['heddle.batch.size'])
    expect(await panel().getByText(String(execute?.attributes['heddle.batch.id'])).count()).toBe(1)
    const name = await panel().getByRole('heading', { level: 2 }).textContent()
    const server = spans.find(({ attributes }) => 'heddle.request.id' in attributes)
    expect(name).toBe(server?.attributes['heddle.request.id'])
  })

  it('can be used with keys alone', async () => {
    await opened()
    await timeline().focus()
    await page.keyboard.press('ArrowLeft')
    const batch = await said().textContent()
    expect(batch).toMatch(/^Batch (?:cities|nearest)#\d+, \d+ items?, (?:took|runs)/)
    await page.keyboard.press('ArrowLeft')
    await page.waitForFunction(
      (text) => document.querySelector('#said')?.textContent !== text,
      batch,
    )
    await page.keyboard.press('Enter')
    const first = await requests().getAttribute('aria-activedescendant')
    expect(await requests().evaluate((list) => list === document.activeElement)).toBe(true)
    expect(await said().textContent()).toMatch(
      /^Request 7-\d+ waited [\d.]+ ms, ran [\d.]+ ms, in a/,
    )
    await page.keyboard.press('End')
    const last = await requests().getByRole('option').last().getAttribute('id')
    expect(await requests().getAttribute('aria-activedescendant')).toBe(last)
    await page.keyboard.press('Home')
    expect(await requests().getAttribute('aria-activedescendant')).toBe(first)
    await page.keyboard.press('Escape')
    expect(await timeline().evaluate((element) => element === document.activeElement)).toBe(true)
    await page.keyboard.press('Escape')
    expect(await panel().isHidden()).toBe(true)
    await page.keyboard.press('Space')
    expect(await page.getByText('Live', { exact: true }).isVisible()).toBe(true)
  })

  it('has a name, a role and a place for everything', async () => {
    await opened()
    await clickABatch('nearest')
    await requests().getByRole('option').first().click()
    const snapshot = await page.locator('body').ariaSnapshot()
    // What differs from run to run, out of the way.
    const text = snapshot.replaceAll(/\d+(?:[.,]\d+)*k?/g, '0')
    expect(text.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        '- banner:',
        '- heading "Heddle inspector" [level=0]',
        '- paragraph: Paused',
        '- toolbar "View":',
        '- button "Follow"',
        '- button "Zoom out": −',
        '- button "Table"',
        '- application "Batches over time"',
        '- region "cities":',
        '- region "nearest":',
        '- complementary "Selected":',
        '- heading "0-0" [level=0]',
        '- button "Close": ×',
        '- term: Queue',
        '- definition: 0 ms',
        '- listbox "Requests of nearest#0":',
        '- option "0-0, queue 0 ms, run 0 ms" [selected]: 0-0 0 ms',
        '- contentinfo: ← → batch ↑ ↓ lane Enter requests Esc back Space pause + − zoom',
      ]),
    )
  })

  it('can be read as a table', async () => {
    await opened()
    await page.getByRole('button', { name: 'Table' }).click()
    const rows = page.getByRole('table').getByRole('row')
    await rows.nth(3).waitFor()
    // It stands still for who is about to click.
    await rows.nth(2).hover()
    const text = await rows.nth(2).textContent()
    expect(text).toMatch(/GET \/cities\/(?::id|nearest)(?:cities|nearest)#\d+/)
    await rows.nth(2).getByRole('button').click()
    await panel().waitFor()
    expect(text).toContain((await panel().getByRole('heading', { level: 2 }).textContent()) ?? '-')
  })

  it.each(['light', 'dark'] as const)('can be read in the %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await opened()
    const contrasts = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement)
      const luminance = (name: string): number => {
        const digits = style.getPropertyValue(name).trim().slice(1)
        const value = Number.parseInt(
          digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits,
          16,
        )
        const [r = 0, g = 0, b = 0] = [value >> 16, (value >> 8) & 255, value & 255].map((part) =>
          part / 255 <= 0.040_45 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
        )
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const contrast = (a: string, b: string): number => {
        const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
        return (light + 0.05) / (dark + 0.05)
      }
      const grounds = ['--page', '--surface', '--raised']
      const texts = ['--text', '--muted', '--error', '--accent', '--ok', '--warn']
      return texts.flatMap((text) => grounds.map((ground) => contrast(text, ground)))
    })
    // WCAG 2.2, 1.4.3.
    expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5)
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(ground).toBe(colorScheme === 'dark' ? 'rgb(16, 17, 23)' : 'rgb(246, 246, 249)')
  })

  it('fits a phone', async () => {
    await page.setViewportSize(NARROW)
    await opened()
    expect(await overflow()).toBe(0)
    await page.getByRole('button', { name: 'Table' }).click()
    expect(await overflow()).toBe(0)
    await page.getByRole('button', { name: 'Table' }).click()
    await clickABatch('cities')
    await requests().getByRole('option').first().click()
    expect(await overflow()).toBe(0)
  })

  it('comes to what is selected at once where motion is not wanted', async () => {
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await opened()
    await clickABatch('cities')
    const span = page.getByTitle('Time shown')
    const spans = await span.evaluate(async (element) => {
      const frame = (): Promise<unknown> => new Promise(requestAnimationFrame)
      await frame()
      await frame()
      const first = element.textContent
      for (let n = 0; n < 20; n += 1) await frame()
      return [first, element.textContent]
    })
    expect(spans[0]).toBe(spans[1])
    expect(spans[0]).not.toBe('2.00 s')
  })
})

describe.runIf(process.env.WRITE_SCREENSHOT)('docs/inspector.png', () => {
  it('is taken', async () => {
    await page.setViewportSize({ width: 1360, height: 800 })
    await opened()
    await page.waitForTimeout(6000)
    await clickABatch('cities')
    // One that shows what batches are for.
    const options = requests().getByRole('option')
    while ((await options.count()) < 9 || (await options.count()) > 14) {
      await page.keyboard.press('ArrowLeft')
    }
    await options.nth(3).click()
    await page.waitForTimeout(1000)
    const path = join(import.meta.dirname, '../../../docs/inspector.png')
    const picture = await page.screenshot({ path })
    expect(picture.byteLength).toBeLessThan(300_000)
  })
})
