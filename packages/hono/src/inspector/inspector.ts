import { isDevelopment } from '@heddle/context/engine'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'

import { refusal } from './access.ts'
import { eventsOf } from './events.ts'
import { assertInspectorOptions, type InspectorOptions } from './options.ts'
import { html, script, style } from './page.generated.ts'
import { Recorder } from './recorder.ts'

/**
 * A page that shows batchers at work: which requests waited how long, in which batch each ran, and with
 * whom. It has every batcher of the process, no value of any item, and costs nothing while nobody
 * looks. Put it before `heddle()`, so that its own requests get no scope.
 *
 * Outside development it serves only those whom `authorize` lets in; in development those on the same
 * machine.
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
  const recorder = new Recorder({ partitions: isDevelopment() })
  const app = new Hono()
  app.use(headers)
  app.use(async function inspectorAccess(c, next) {
    const reason = await refusal(c, options.authorize)
    if (reason !== undefined) return c.text(reason, 403)
    return next()
  })
  app.get('/', (c) => {
    // Relative, so that it is right under any base path, and behind a proxy that takes one away.
    const { pathname } = new URL(c.req.url)
    const base = pathname.endsWith('/') ? '.' : `./${pathname.slice(pathname.lastIndexOf('/') + 1)}`
    return c.html(html.replaceAll('%BASE%', () => escaped(base)))
  })
  app.get('/inspector.js', (c) => c.body(script, 200, { 'Content-Type': 'text/javascript' }))
  app.get('/inspector.css', (c) => c.body(style, 200, { 'Content-Type': 'text/css' }))
  app.get('/events', (c) => eventsOf(c, recorder, options.closing))
  return app
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
