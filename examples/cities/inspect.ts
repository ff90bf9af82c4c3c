import { inspector } from '@heddle/hono/inspector'
import { Hono } from 'hono'

/** Where the page is. */
export const INSPECTOR = '/_heddle'

/**
 * The app with the page that shows its batchers at work, beside its own middleware.
 *
 * @param closing - is aborted when the server closes
 */
export function withInspector(app: Hono<any>, closing: AbortSignal): Hono {
  // The demo's servers listen on loopback alone, so whoever comes is on this machine.
  const page = inspector({ authorize: () => true, closing })
  return new Hono().route(INSPECTOR, page).route('/', app)
}
