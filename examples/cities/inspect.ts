import { inspector } from '@heddle/hono/inspector'
import { Hono } from 'hono'

/** Where the page is. */
export const INSPECTOR = '/_heddle'

/**
 * The app with the page that shows its batchers at work, beside its own middleware. It is open only where
 * `NODE_ENV` is `development`.
 *
 * @param closing - is aborted when the server closes
 */
export function withInspector(app: Hono<any>, closing: AbortSignal): Hono {
  return new Hono().route(INSPECTOR, inspector({ closing })).route('/', app)
}
