import type { AddressInfo } from 'node:net'

// #region service
import { gracefulShutdown, heddleHealth } from '@heddle/hono'
import { serve } from '@hono/node-server'

import { app, users } from './app.ts'
import { sdk } from './telemetry.ts'

const server = serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) })
const shutdown = gracefulShutdown({ server, batchers: [users], telemetry: sdk, timeout: 10_000 })
process.on('SIGTERM', () => void shutdown().then((isClean) => process.exit(isClean ? 0 : 1)))

app.get('/live', heddleHealth({ probe: 'live' }))
app.get('/ready', heddleHealth({ batchers: [users], maxAge: 2_000, closing: shutdown.signal }))
// #endregion

// For whoever has started it.
server.once('listening', () => console.log((server.address() as AddressInfo).port))
