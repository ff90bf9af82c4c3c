import { isDevelopment } from '@heddle/context/engine'
import type { Context } from 'hono'

import type { InspectorOptions } from './options.ts'

/** Why a request may not look; `undefined` if it may. */
export async function refusal(
  c: Context,
  authorize: InspectorOptions['authorize'],
): Promise<string | undefined> {
  if (authorize !== undefined) {
    // In JavaScript it may say anything, and what is no yes is a no.
    const answer: unknown = await authorize(c)
    return answer === true ? undefined : 'Not allowed by `authorize`'
  }
  if (!isDevelopment()) {
    return 'The inspector is closed in production. Cure: give it `authorize`'
  }
  // A name that leads here from elsewhere would let any website read the page (DNS rebinding).
  const isLocal = isLoopback(new URL(c.req.url).hostname) && isLoopback(peerOf(c) ?? 'localhost')
  return isLocal
    ? undefined
    : 'The inspector is for the machine it runs on. Cure: open it as localhost, or give it `authorize`'
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host) ||
    host === '::1' ||
    host === '[::1]'
  )
}

/** What the servers of Node and Bun put into `c.env`. */
interface Peer {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  readonly server?: Peer
  requestIP?(request: Request): { readonly address: string } | null
}

/** The client's address, where the server tells it. */
function peerOf(c: Context): string | undefined {
  const env = (c.env ?? {}) as Peer
  const address = env.incoming?.socket?.remoteAddress
  if (address !== undefined) return address
  const server = env.server ?? env
  return server.requestIP?.(c.req.raw)?.address
}
