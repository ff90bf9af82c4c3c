import { exec, spawn } from 'node:child_process'
import { pbkdf2, randomBytes, webcrypto } from 'node:crypto'
import { lookup } from 'node:dns'
import { lookup as lookupPromise } from 'node:dns/promises'
import { createReadStream, readFile } from 'node:fs'
import { readFile as readFilePromise } from 'node:fs/promises'
import { callbackify, promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { listener } from '../mends.ts'
import { inA, inB, seen, sleep, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const file = import.meta.filename

export const callbacks: Group = {
  title: 'Callbacks of files, processes and the thread pool',
  rows: [
    row('`fs.readFile` callback', 'A', () => told((tell) => inA(() => readFile(file, tell)))),
    row('`fs.promises.readFile`', 'A', () =>
      inA(async () => {
        await readFilePromise(file)
        return seen()
      }),
    ),
    row('`fs.createReadStream`: `data`', 'A', () =>
      told((tell) => inA(() => createReadStream(file).once('data', tell))),
    ),
    row('`fs.createReadStream` of A: `end` listener of B', 'A', () =>
      told((tell) => {
        const stream = inA(() => createReadStream(file))
        inB(() => stream.once('end', tell).resume())
      }),
    ),
    row('`crypto.randomBytes` callback', 'A', () =>
      told((tell) => inA(() => randomBytes(8, tell))),
    ),
    row('`crypto.pbkdf2` callback', 'A', () =>
      told((tell) => inA(() => pbkdf2('word', 'salt', 1, 8, 'sha256', tell))),
    ),
    row('`crypto.subtle.digest`', 'A', () =>
      inA(async () => {
        await webcrypto.subtle.digest('SHA-256', new Uint8Array(8))
        return seen()
      }),
    ),
    row('`zlib.gzip` callback', 'A', () => told((tell) => inA(() => gzip('text', tell)))),
    row('`dns.lookup` callback', 'A', () => told((tell) => inA(() => lookup('127.0.0.1', tell)))),
    row('`dns.promises.lookup`', 'A', () =>
      inA(async () => {
        await lookupPromise('localhost')
        return seen()
      }),
    ),
    row('`child_process.exec` callback', 'A', () =>
      told((tell) => inA(() => exec('exit 0', tell))),
    ),
    row('`child_process.spawn`: `exit`', 'A', () =>
      told((tell) =>
        inA(() => spawn(process.execPath, ['--version'], { stdio: 'ignore' }).once('exit', tell)),
      ),
    ),
    mendedRow('`child_process.spawn`: `data` of its output', 'A', listener, (wrapped) =>
      told((tell) =>
        inA(() => spawn(process.execPath, ['--version']).stdout.once('data', wrapped(tell))),
      ),
    ),
    row('`util.promisify`, called back by B', 'A', () =>
      inA(async () => {
        const calledByB = promisify(
          (callback: () => void) => void inB(() => setTimeout(callback, 1)),
        )
        await calledByB()
        return seen()
      }),
    ),
    row('`util.callbackify`', 'A', () =>
      told((tell) => inA(() => callbackify(() => sleep(1))(tell))),
    ),
    row('`Blob.text`', 'A', () =>
      inA(async () => {
        await new Blob(['text']).text()
        return seen()
      }),
    ),
  ],
}
