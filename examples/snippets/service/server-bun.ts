import { app, users } from './app.ts'
import { sdk } from './telemetry.ts'

/** As much of Bun's types as this file needs. */
declare const Bun: {
  serve(options: { readonly fetch: typeof app.fetch; readonly port: number }): {
    readonly port: number
    stop(closeActiveConnections?: boolean): Promise<void>
  }
}

// #region service-bun
import { gracefulShutdown, heddleHealth } from '@heddle/hono'

const server = Bun.serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) })
const shutdown = gracefulShutdown({ server, batchers: [users], telemetry: sdk, timeout: 10_000 })
process.on('SIGTERM', () => void shutdown().then((isClean) => process.exit(isClean ? 0 : 1)))
// #endregion

app.get('/live', heddleHealth({ probe: 'live' }))
app.get('/ready', heddleHealth({ batchers: [users], closing: shutdown.signal }))
console.log(server.port)
