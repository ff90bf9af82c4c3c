import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

import { withServer } from '../loopback.ts'
import { listener } from '../mends.ts'
import { inA, inB, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

/** Connects to a server that sends back what it gets. */
function withEcho(use: (port: number) => Promise<string>): Promise<string> {
  return withServer(
    createServer((socket) => {
      socket.on('error', () => {})
      socket.pipe(socket)
    }),
    use,
  )
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

const issues = ['denoland/deno#35154']
const SOCKET =
  'A listener that A registers on a socket of A is for A; who writes is nobody’s concern.'

export const net: Group = {
  title: 'Sockets',
  rows: [
    row(
      '`net.Server` of A: `connection`, connected by B',
      'A or ∅',
      () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        const saw = told((tell) => {
          const server = createServer((socket) => {
            tell()
            socket.destroy()
          })
          void inA(() =>
            withServer(server, async (port) => {
              inB(() => connect(port, '127.0.0.1').on('error', () => {}))
              await promise
            }),
          )
        })
        return saw.finally(resolve)
      },
      { issues, why: 'A server is made at start-up, in nobody’s context.' },
    ),
    row(
      '`net.connect` callback',
      'A',
      () =>
        withEcho((port) =>
          told((tell) => {
            const socket = inA(() =>
              connect(port, '127.0.0.1', () => {
                tell()
                socket.destroy()
              }),
            )
          }),
        ),
      { issues },
    ),
    mendedRow(
      '`net.Socket` of A: `data`, written by B',
      'A',
      listener,
      (wrapped) =>
        withEcho(async (port) => {
          const socket = await inA(() => connected(port))
          const saw = told((tell) => inA(() => socket.once('data', wrapped(tell))))
          inB(() => socket.write('chunk'))
          return saw.finally(() => socket.destroy())
        }),
      { issues, why: SOCKET },
    ),
    mendedRow(
      '`net.Socket` of B, from a pool: `data` listener of A',
      'A',
      listener,
      (wrapped) =>
        withEcho(async (port) => {
          const socket = await inB(() => connected(port))
          const saw = told((tell) => inA(() => socket.once('data', wrapped(tell))))
          inA(() => socket.write('chunk'))
          return saw.finally(() => socket.destroy())
        }),
      {
        issues: ['brianc/node-postgres#2533'],
        why: 'A socket brings the context of whoever opened it: that is how a driver with a pool calls back in the context of another request.',
      },
    ),
    mendedRow('`net.Socket` of A: `close`, destroyed by B', 'A', listener, (wrapped) =>
      withEcho(async (port) => {
        const socket = await inA(() => connected(port))
        const saw = told((tell) => inA(() => socket.once('close', wrapped(tell))))
        inB(() => socket.destroy())
        return saw
      }),
    ),
    mendedRow('`net.Socket` of B: `setTimeout` callback of A', 'A', listener, (wrapped) =>
      withEcho(async (port) => {
        const socket = await inB(() => connected(port))
        const saw = told((tell) => inA(() => socket.setTimeout(5, wrapped(tell))))
        return saw.finally(() => socket.destroy())
      }),
    ),
    row('`socket.write` callback of A on a socket of B', 'A', () =>
      withEcho(async (port) => {
        const socket = await inB(() => connected(port))
        const saw = told((tell) => inA(() => socket.write('chunk', tell)))
        return saw.finally(() => socket.destroy())
      }),
    ),
    mendedRow('`dgram`: `message` listener of A, sent by B', 'A', listener, async (wrapped) => {
      const socket = inA(() => createSocket('udp4'))
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      const saw = told((tell) => inA(() => socket.once('message', wrapped(tell))))
      inB(() => socket.send('message', socket.address().port, '127.0.0.1'))
      return saw.finally(() => socket.close())
    }),
  ],
}
