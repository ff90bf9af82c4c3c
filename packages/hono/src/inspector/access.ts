import type { Context } from 'hono'

import { addressOf, bunServerOf } from '../bun-server.ts'
import { disclosesByDefault } from '../disclosure.ts'
import type { InspectorOptions } from './options.ts'

/**
 * Why a request may not look; `undefined` if it may. What cannot be known is a no.
 *
 * `authorize` decides in the place of where the request comes from and of `NODE_ENV`, but not for other
 * websites: they use the rights of whoever looks at them.
 */
export async function refusal(
  c: Context,
  authorize: InspectorOptions['authorize'],
): Promise<string | undefined> {
  if (isFromAnotherSite(c)) return 'The inspector is not for other websites. Cure: type its address'
  if (authorize !== undefined) {
    // In JavaScript it may say anything, and what is no yes is a no.
    const answer: unknown = await authorize(c)
    return answer === true ? undefined : 'Not allowed by `authorize`'
  }
  if (!disclosesByDefault()) {
    return (
      'The inspector is closed, since NODE_ENV is not `development`. ' +
      'Cure: set it, or give the inspector `authorize`'
    )
  }
  return isLocal(c)
    ? undefined
    : 'The inspector is for the machine it runs on. Cure: open it as localhost, or give it `authorize`'
}

/** Browsers say where a request comes from; who types an address or follows a bookmark comes from nowhere. */
function isFromAnotherSite(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  const origin = c.req.header('origin')
  return origin !== undefined && origin !== new URL(c.req.url).origin
}

function isLocal(c: Context): boolean {
  // A name that leads here from elsewhere would let any website read the page (DNS rebinding).
  if (!isLoopback(new URL(c.req.url).hostname)) return false
  // A proxy on this machine is a client on this machine; whoever it speaks for is not.
  if (Object.keys(c.req.header()).some(isOfProxy)) return false
  const address = peerOf(c)
  return address !== undefined && isLoopback(address)
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

const PROXY_HEADERS: readonly RegExp[] = [
  // Forwarded, X-Forwarded-For, X-Original-Forwarded-For, Proxy-Connection, WL-Proxy-Client-IP.
  /forward|proxy/,
  // The client's address: X-Real-IP, True-Client-IP, CF-Connecting-IPv6, X-Azure-ClientIP, X-Remote-Addr.
  /(?:^|[-_])(?:client|socket|real)?(?:ip(?:v\d)?|addr(?:ess)?)(?:[-_]|$)/,
  // What it asked for: X-Original-URL, X-Rewrite-URL, X-Host, X-Scheme, Front-End-Https.
  /^(?:x-(?:original|rewrite|host|scheme|url-scheme)|front-end-https)/,
  // That there is one: Via, CDN-Loop, CF-Ray, X-Amzn-Trace-Id, X-Envoy-Attempt-Count.
  /^(?:via$|cdn-|(?:x-)?(?:cf|fly|fastly|akamai|amzn?|azure|arr|envoy|vercel|nf|ngrok|tailscale)-)/,
]

function isOfProxy(name: string): boolean {
  return PROXY_HEADERS.some((pattern) => pattern.test(name))
}

/** The client's address, where the server tells it. */
function peerOf(c: Context): string | undefined {
  const { incoming } = (c.env ?? {}) as {
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  }
  if (incoming !== undefined) return incoming.socket?.remoteAddress
  const server = bunServerOf(c)
  return server && addressOf(server, c.req.raw)
}
