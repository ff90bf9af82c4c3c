/**
 * Puts the inspector's page together: `packages/hono/page` becomes one module of the package, so that
 * the page works wherever the server's code does, bundled or not, and no user needs a build step.
 *
 *     node scripts/inspector.ts [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { build, type Rolldown } from 'vite'

const root = resolve(import.meta.dirname, '..')
const page = join(root, 'packages/hono/page')
const target = join(root, 'packages/hono/src/inspector/page.generated.ts')

/** The module as it has to be. */
async function generate(): Promise<string> {
  const result = await build({
    root: page,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: ['main.ts', 'style.css'].map((file) => join(page, file)) },
    },
  })
  const { output } = result as Rolldown.RolldownOutput
  const script = output.find((file) => file.type === 'chunk' && file.name === 'main')
  const style = output.find((file) => file.type === 'asset')
  if (script?.type !== 'chunk' || style?.type !== 'asset') {
    throw new Error(
      `Expected a script and a style, got ${output.map((file) => file.fileName).join()}`,
    )
  }
  const html = readFileSync(join(page, 'index.html'), 'utf8')
  return [
    '// Made by `node scripts/inspector.ts` from `packages/hono/page`: change it there.',
    ...Object.entries({ html, style: String(style.source), script: script.code }).map(
      ([name, text]) => `export const ${name}: string = ${JSON.stringify(text)}`,
    ),
    '',
  ].join('\n')
}

const module = await generate()
if (!process.argv.includes('--check')) writeFileSync(target, module)
else if (module !== readFileSync(target, 'utf8')) {
  console.error('The inspector’s page is not as its sources say: run `node scripts/inspector.ts`')
  process.exitCode = 1
}
