import { type IncomingMessage, request } from 'node:http'

import { post, postLater, withHttp, withOneSocket } from '../loopback.ts'
import { listener } from '../mends.ts'
import { inA, inB, seen, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const issues = ['nodejs/node#41285', 'nodejs/node#37207', 'expressjs/body-parser#422']
const BODY =
  'The request is a resource of its own, older than the scope that the handler opens: on Node and Bun what it emits comes in no context. This is why body parsers lose it.'

export const http: Group = {
  title: '`node:http`',
  rows: [
    row('server: handler, requested by A', '∅', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      return withHttp(
        (_request, response) => {
          resolve(seen())
          response.end()
        },
        async (port) => {
          await inA(() => post(port))
          return promise
        },
      )
    }),
    row('server: handler of the second request on one socket', '∅', () => {
      const saw: string[] = []
      return withHttp(
        (_request, response) => {
          saw.push(seen())
          inA(() => response.end())
        },
        (port) =>
          withOneSocket(async (agent) => {
            await post(port, { agent })
            await post(port, { agent })
            return saw[1] ?? 'none'
          }),
      )
    }),
    mendedRow(
      'server: `req.on("data")` in the scope of the handler',
      'A',
      listener,
      (wrapped) =>
        onBody((incoming, tell) => {
          inA(() => incoming.once('data', wrapped(tell)))
        }),
      { issues, why: BODY },
    ),
    mendedRow(
      'server: `req.on("end")` in the scope of the handler',
      'A',
      listener,
      (wrapped) =>
        onBody((incoming, tell) => {
          inA(() => incoming.resume().once('end', wrapped(tell)))
        }),
      { issues },
    ),
    row('server: `for await` over `req`', 'A', () =>
      onBody((incoming, tell) => {
        void inA(async () => {
          for await (const _ of incoming);
          tell()
        })
      }),
    ),
    row('server: `res.on("finish")` in the scope of the handler', 'A', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      return withHttp(
        (_request, response) => {
          inA(() => {
            response.on('finish', () => resolve(seen()))
            response.end()
          })
        },
        async (port) => {
          await post(port)
          return promise
        },
      )
    }),
    mendedRow(
      'server: `res.on("close")` in the scope of the handler, after the end',
      'A',
      listener,
      (wrapped) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        return withHttp(
          (_request, response) => {
            inA(() =>
              response
                .on(
                  'close',
                  wrapped(() => resolve(seen())),
                )
                .end(),
            )
          },
          async (port) => {
            await post(port)
            return promise
          },
        )
      },
    ),
    mendedRow(
      'server: `res.on("close")` in the scope of the handler, the client leaves',
      'A',
      listener,
      (wrapped) =>
        told((tell) => {
          const { promise, resolve } = Promise.withResolvers<void>()
          void withHttp(
            (_request, response) => {
              inA(() =>
                response.on(
                  'close',
                  wrapped(() => {
                    tell()
                    resolve()
                  }),
                ),
              )
              response.write('first part')
            },
            async (port) => {
              const outgoing = request({ host: '127.0.0.1', port })
              outgoing.on('error', () => {})
              outgoing.on('response', () => outgoing.destroy())
              outgoing.end()
              await promise
            },
          )
        }),
      { issues: ['nodejs/node#33723'] },
    ),
    row('server: `res.write` callback', 'A', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      return withHttp(
        (_request, response) => {
          inA(() => response.write('part', () => resolve(seen())))
          setTimeout(() => response.end(), 5)
        },
        async (port) => {
          await post(port)
          return promise
        },
      )
    }),
    row('client: `response` of A on a socket that B opened', 'A', () =>
      onSocketOfB((port, agent) =>
        told((tell) =>
          inA(() => {
            request({ host: '127.0.0.1', port, agent }, (answer) => {
              answer.resume()
              tell()
            }).end()
          }),
        ),
      ),
    ),
    row('client: `end` of the response of A on a socket that B opened', 'A', () =>
      onSocketOfB((port, agent) =>
        told((tell) =>
          inA(() => {
            request({ host: '127.0.0.1', port, agent }, (answer) => {
              answer.resume().on('end', tell)
            }).end()
          }),
        ),
      ),
    ),
    row('client: `timeout` of A on a socket that B opened', 'A', () =>
      onSocketOfB((port, agent) =>
        told((tell) =>
          inA(() => {
            const outgoing = request({ host: '127.0.0.1', port, agent, path: '/slow', timeout: 10 })
            outgoing.on('error', () => {})
            outgoing.on('timeout', () => {
              tell()
              outgoing.destroy()
            })
            outgoing.end()
          }),
        ),
      ),
    ),
  ],
}

/** What a handler sees while it reads a body that arrives after it has run. */
function onBody(handle: (incoming: IncomingMessage, tell: () => void) => void): Promise<string> {
  const { promise: handled, resolve: isHandled } = Promise.withResolvers<void>()
  const { promise: saw, resolve } = Promise.withResolvers<string>()
  return withHttp(
    (incoming, response) => {
      incoming.once('end', () => response.end())
      handle(incoming, () => resolve(seen()))
      isHandled()
    },
    async (port) => {
      await postLater(port, handled)
      return saw
    },
  )
}

type Agent = Parameters<Parameters<typeof withOneSocket>[0]>[0]

function onSocketOfB(use: (port: number, agent: Agent) => Promise<string>): Promise<string> {
  return withHttp(
    (incoming, response) => {
      incoming.resume()
      if (incoming.url !== '/slow') response.end('answer')
    },
    (port) =>
      withOneSocket(async (agent) => {
        await inB(() => post(port, { agent }))
        return use(port, agent)
      }),
  )
}
