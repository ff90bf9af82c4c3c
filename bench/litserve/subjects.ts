import { join } from 'node:path'

import { Service } from './processes.ts'
import type { Venv } from './venv.ts'
import type { Work } from './work.ts'

/** A service that is measured. */
export interface Subject {
  readonly library: 'LitServe' | 'Heddle'
  readonly maxBatchSize: number
  readonly service: Service
}

const SIZES: Readonly<Record<Work, readonly number[]>> = { sleep: [16, 32], matmul: [32] }

/** Starts the service in each library and with each size of batches; all of them stand still. */
export async function startAll(work: Work, venv: Venv | undefined): Promise<Subject[]> {
  const subjects: Subject[] = []
  try {
    for (const maxBatchSize of SIZES[work]) {
      for (const [library, program] of programsOf(venv)) {
        const service = await Service.start((port) => [
          ...program,
          ...[port, work, maxBatchSize].map(String),
          venv?.model ?? '',
        ])
        subjects.push({ library, maxBatchSize, service })
        service.pause()
      }
    }
    return subjects
  } catch (error) {
    await stopAll(subjects)
    throw error
  }
}

export async function stopAll(subjects: readonly Subject[]): Promise<void> {
  await Promise.all(subjects.map(({ service }) => service.stop()))
}

type Program = readonly [library: Subject['library'], command: readonly string[]]

function programsOf(venv: Venv | undefined): Program[] {
  const own: Program = ['Heddle', [process.execPath, join(import.meta.dirname, 'service.ts')]]
  if (venv === undefined) return [own]
  return [['LitServe', [venv.python, join(import.meta.dirname, 'service.py')]], own]
}
