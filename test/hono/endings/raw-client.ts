/** A client that shows what is on the wire: `fetch` hides the headers of the transport. */
import { connect } from 'node:net'

export interface Wire {
  readonly status: string
  /** Without the date; sorted, since their order says nothing. */
  readonly headers: readonly string[]
  readonly body: string
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export async function ask(
  url: string,
  path: string,
  { method = 'GET', headers = {} }: Asked,
): Promise<Wire> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  const lines = Object.entries({ Host: host, Connection: 'close', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`)
  let text = ''
  for await (const data of socket) text += (data as Buffer).toString('latin1')
  return parsed(text)
}

function parsed(text: string): Wire {
  const end = text.indexOf('\r\n\r\n')
  const [status = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines
    .map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .filter((line) => !/^(?:date|last-modified):/.test(line))
    .map(withoutBoundary)
    .toSorted()
  const rest = text.slice(end + 4)
  const isChunked = headers.includes('transfer-encoding: chunked')
  return { status, headers, body: withoutBoundary(isChunked ? unchunked(rest) : rest) }
}

/** RFC 9112, section 7.1; where one chunk ends and the next one begins is the server's affair. */
function unchunked(text: string): string {
  const parts: string[] = []
  for (let rest = text; ;) {
    const start = rest.indexOf('\r\n') + 2
    const length = Number.parseInt(rest, 16)
    if (!(length > 0)) return parts.join('')
    parts.push(rest.slice(start, start + length))
    rest = rest.slice(start + length + 2)
  }
}

/** Each form has another one. */
function withoutBoundary(text: string): string {
  return text.replaceAll(/-*(?:webkitformboundary|formdata-undici-)\w+/gi, 'BOUNDARY')
}
