/** Run by subscribers.test.ts: subscribers of warnings that throw, before and after the package is there. */
import { subscribe } from 'node:diagnostics_channel'

const uncaught: string[] = []
const failing = (name: string) => (): never => {
  throw new Error(name)
}
process.on('uncaughtException', ({ message }) => void uncaught.push(message))
subscribe('heddle:warning', failing('early'))
const { warn } = await import('@heddle/context/engine')
subscribe('heddle:warning', failing('late'))
warn('TEST', 'topic', 'message')
setImmediate(() => console.log(JSON.stringify(uncaught)))
