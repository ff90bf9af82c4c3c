import { type Context, Hono } from 'hono'
import { routePath } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'

import { disclosesByDefault } from '../disclosure.ts'
import { refusal } from './access.ts'
import { eventsOf } from './events.ts'
import { assertInspectorOptions, type InspectorOptions } from './options.ts'
import { html, script, style } from './page.generated.ts'
import { Recorder } from './recorder.ts'

type Serve = (c: Context) => Response | Promise<Response>

/**
 * A page that shows batchers at work: which requests waited how long, in which batch each ran, and with
 * whom. It has every batcher of the process, no value of any item, and costs nothing while nobody
 * looks. Put it before `heddle()`, so that its own requests get no scope.
 *
 * It serves whom `authorize` lets in. Without it, it serves only where `NODE_ENV` is `development`, and only
 * clients on the same machine that no proxy speaks for. It never serves other websites.
 *
 * @throws TypeError for an option that is not as described
 * @example
 * ```ts
 * app.route('/_heddle', inspector())
 * app.use(heddle())
 * ```
 */
export function inspector(options: InspectorOptions = {}): Hono {
  assertInspectorOptions(options)
  const recorder = new Recorder({ partitions: disclosesByDefault() })
  const files: Readonly<Record<string, Serve>> = {
    '': servePage,
    'inspector.js': (c) => c.body(script, 200, { 'Content-Type': 'text/javascript' }),
    'inspector.css': (c) => c.body(style, 200, { 'Content-Type': 'text/css' }),
    events: (c) => eventsOf(c, recorder, options.closing),
  }
  const serve = async (c: Context, file: Serve): Promise<Response> => {
    // A preflight, above all: behind this middleware, one for the whole app would allow it.
    if (!['GET', 'HEAD'].includes(c.req.method)) {
      return c.text('The inspector is only to be read', 405, { Allow: 'GET, HEAD' })
    }
    const reason = await refusal(c, options.authorize)
    return reason === undefined ? file(c) : c.text(reason, 403)
  }
  const app = new Hono()
  // All of it in one: with or without a slash at its end, the page is the same.
  app.use(async function inspectorMiddleware(c, next) {
    const name = fileNameOf(c)
    const file = Object.hasOwn(files, name) ? files[name] : undefined
    if (file === undefined) return next()
    return headers(c, async () => {
      withoutCors(c.res.headers)
      c.res = await serve(c, file)
    })
  })
  return app
}

/** What the path has behind the one that the inspector was given. */
function fileNameOf(c: Context): string {
  const { length } = routePath(c).split('/')
  // The last part of the route is a `*`.
  return c.req.path
    .split('/')
    .slice(length - 1)
    .join('/')
}

function servePage(c: Context): Response | Promise<Response> {
  // Relative, so that it is right under any base path, and behind a proxy that takes one away.
  const { pathname } = new URL(c.req.url)
  const base = pathname.endsWith('/') ? '.' : `./${pathname.slice(pathname.lastIndexOf('/') + 1)}`
  return c.html(html.replaceAll('%BASE%', () => escaped(base)))
}

/** Those of a middleware before, for the whole app: they would let other websites read the page. */
function withoutCors(sent: Headers): void {
  const names = [...sent.keys()].filter((name) => name.startsWith('access-control-'))
  for (const name of names) sent.delete(name)
}

/** Nothing but its own files, in nobody's frame. */
const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
  // That is for the app to say.
  strictTransportSecurity: false,
})

/** For an attribute. */
function escaped(path: string): string {
  return path.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
