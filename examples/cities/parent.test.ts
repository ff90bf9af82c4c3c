import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { expect, it } from 'vitest'

it('a process that has a message for a parent that is gone ends, and says nothing', async () => {
  const program = join(import.meta.dirname, 'late-message.ts')
  const child = fork(program, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  const [[code], said] = await Promise.all([once(child, 'exit'), text(child.stderr!)])
  expect([code, said]).toEqual([0, ''])
})
