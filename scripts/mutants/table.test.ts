/** CI runs a part of the mutants at each commit; that all of them still fit the code is told here. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { describe, expect, it } from 'vitest'

import { mutants } from './table.ts'

const root = resolve(import.meta.dirname, '../..')

describe('the table of mutants', () => {
  it('has each name once', () => {
    const names = mutants.map(({ name }) => name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('fits the code: what each replaces stands in its file once, and its test is there', () => {
    const misfits = mutants.filter(({ file, replace: [from], test }) => {
      const count = readFileSync(join(root, file), 'utf8').split(from).length - 1
      return count !== 1 || !existsSync(join(root, test))
    })
    expect(misfits.map(({ name }) => name)).toEqual([])
  })
})
