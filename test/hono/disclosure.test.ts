/** What a client sees of what is internal: nothing, unless `NODE_ENV` is `development` or an option says so. */
import { createBatcher, createStreamBatcher } from '@heddle/core'
import { batchRoute, heddle, type HeddleOptions, streamBatched } from '@heddle/hono'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'

import { turn } from '../support/crank.ts'

const SECRET = 'connect ECONNREFUSED 10.0.0.7:5432 password=1234'
const NAME = 'secret-name'

const { NODE_ENV } = process.env

function setEnvironment(value: string | undefined): void {
  if (value === undefined) delete process.env['NODE_ENV']
  else process.env['NODE_ENV'] = value
}

afterEach(() => setEnvironment(NODE_ENV))

async function fails(): Promise<never> {
  await turn()
  throw new Error(SECRET)
}

/** The ways in which an error of an engine, or of a batch function, gets to a client. */
const WAYS: Readonly<Record<string, (app: Hono) => void>> = {
  'the answer to a batch function that throws': (app) => {
    const batcher = createBatcher<string, string>({ name: NAME, run: fails })
    app.get('/', async (c) => c.text(await batcher.submit('x')))
  },
  'an `onError` that answers with the message': (app) => {
    const batcher = createBatcher<string, string>({ name: NAME, run: fails })
    app.get('/', async (c) => c.text(await batcher.submit('x')))
    app.onError((error, c) => c.json({ error: error.message, text: String(error) }, 500))
  },
  'the answer to a deadline': (app) => {
    const batcher = createBatcher<string, string>({
      name: NAME,
      run: () => new Promise(() => {}),
      timeout: 1,
    })
    app.get('/', async (c) => c.text(await batcher.submit('x')))
  },
  'the answer to a closed batcher': (app) => {
    const batcher = createBatcher<string, string>({ name: NAME, run: fails })
    app.get('/', async (c) => {
      await batcher.close()
      return c.text(await batcher.submit('x'))
    })
  },
  'the last event of a stream': (app) => {
    const batcher = createStreamBatcher<string, string>({
      name: NAME,
      async *run() {
        yield [0, 'first']
        await fails()
      },
    })
    app.get('/', async (c) => streamBatched(c, batcher.stream('x'), { onError: () => undefined }))
  },
  'the last line of a stream that is no batcher’s': (app) => {
    async function* chunks(): AsyncGenerator<string> {
      yield NAME
      await fails()
    }
    app.get('/', async (c) =>
      streamBatched(c, chunks(), { format: 'ndjson', onError: () => undefined }),
    )
  },
  'the last event of a stream that submits outside the request': (app) => {
    const batcher = createBatcher<string, string>({ name: NAME, run: fails })
    let result: Promise<string> | undefined
    async function* chunks(): AsyncGenerator<string | undefined> {
      yield 'first'
      yield await result
    }
    app.get('/', async (c) => streamBatched(c, chunks(), { onError: () => undefined }))
    result = batcher.submit('x')
    result.catch(() => {})
  },
}

async function seen(add: (app: Hono) => void, options?: HeddleOptions): Promise<string> {
  const app = new Hono()
  app.use(heddle(options))
  add(app)
  const response = await app.request('/')
  return `${JSON.stringify([...response.headers])} ${await response.text()}`
}

describe.each(Object.entries(WAYS))('%s', (_way, add) => {
  it.each([undefined, 'test', 'production', 'staging', 'Development', ''])(
    'tells nothing where NODE_ENV is %o',
    async (value) => {
      setEnvironment(value)
      const text = (await seen(add)).replace(`data: ${NAME}`, '').replace(`"${NAME}"`, '')
      expect(text).not.toContain('password')
      expect(text).not.toContain(NAME)
      expect(text).not.toContain('detail')
    },
  )

  it('tells it in development, and with `details`', async () => {
    const internal = /password|secret-name`/
    expect(await seen(add, { details: true })).toMatch(internal)
    setEnvironment('development')
    expect(await seen(add)).toMatch(internal)
    expect(await seen(add, { details: false })).not.toMatch(internal)
  })
})

describe('the message of an HTTPException', () => {
  it('is for clients, so it is sent whatever NODE_ENV is', async () => {
    const batcher = createBatcher<string, string>({
      name: NAME,
      run: () => Promise.reject(new HTTPException(502, { message: 'upstream is down' })),
    })
    expect(
      await seen((app) => app.get('/', async (c) => c.text(await batcher.submit('x')))),
    ).toMatch(/ upstream is down$/)
    async function* chunks(): AsyncGenerator<string> {
      yield 'first'
      throw new HTTPException(502, { message: 'upstream is down' })
    }
    expect(await seen((app) => app.get('/', async (c) => streamBatched(c, chunks())))).toContain(
      '"detail":"upstream is down"',
    )
  })

  it('is not sent beside a response of its own, as Hono would not', async () => {
    async function* chunks(): AsyncGenerator<string> {
      yield 'first'
      throw new HTTPException(401, { res: new Response('no', { status: 401 }), message: SECRET })
    }
    const add = (app: Hono): unknown => app.get('/', async (c) => streamBatched(c, chunks()))
    expect(await seen(add)).toMatch(/"status":401,"code":"HTTP_ERROR"(?!.*password)/)
    expect(await seen(add, { details: true })).toContain('password')
  })
})

describe('input that a schema rejects', () => {
  it('is told what is wrong, which is for clients, and nothing else', async () => {
    const route = batchRoute(
      { name: NAME, query: z.object({ n: z.string() }) },
      (inputs: readonly unknown[]) => inputs,
    )
    const add = (app: Hono): unknown => app.get('/', route)
    expect(await seen(add)).toMatch(/"errors":\[\{"detail":"[^"]+","pointer":"#\/n"\}\]\}$/)
    expect(await seen(add)).not.toContain('The input is not as its schema says')
    expect(await seen(add, { details: true })).toContain('The input is not as its schema says')
  })
})

describe('Server-Timing', () => {
  const add = (app: Hono): unknown => app.get('/', (c) => c.text('ok'))

  it.each([undefined, 'test', 'production', 'Development'])(
    'is not sent where NODE_ENV is %o',
    async (value) => {
      setEnvironment(value)
      expect(await seen(add)).not.toContain('server-timing')
      expect(await seen(add, { serverTiming: true })).toContain('server-timing')
    },
  )

  it('is sent in development, unless the option says no', async () => {
    setEnvironment('development')
    expect(await seen(add)).toContain('server-timing')
    expect(await seen(add, { serverTiming: false })).not.toContain('server-timing')
  })
})
