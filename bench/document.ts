import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'

/**
 * Writes `docs/<name>-speed.md`.
 *
 * @param texts - one for each section: `<title>; <what the numbers are>`, an empty line, a table
 */
export function writeDocument(name: string, texts: readonly string[]): void {
  const day = new Date().toISOString().slice(0, 10)
  const document = [
    `# The speed of \`@heddle/${name}\``,
    `Written by \`npx -y pnpm@12 bench:${name} --write\` on ${day}, on ${cpus().length} × ${cpus()[0]?.model ?? 'a CPU'}.`,
    ...texts.map((text) => text.trim().replace(/^(.*); (.*)$/m, '## $1\n\n$2:')),
  ]
  writeFileSync(
    resolve(import.meta.dirname, `../docs/${name}-speed.md`),
    `${document.join('\n\n')}\n`,
  )
}
