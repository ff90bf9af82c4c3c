/** The client's side of a stream. */
export interface Reading {
  /** What has come next, as text; `undefined` at the end. */
  next(): Promise<string | undefined>
  /** All that is left. */
  rest(): Promise<string>
  leave(): void
}

export interface ServerEvent {
  readonly event: string
  readonly data: unknown
}

export async function read(url: string): Promise<Reading> {
  const client = new AbortController()
  const response = await fetch(url, { signal: client.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const next = async (): Promise<string | undefined> => (await reader.read()).value
  return {
    next,
    async rest() {
      const parts: string[] = []
      for (let part = await next(); part !== undefined; part = await next()) parts.push(part)
      return parts.join('')
    },
    leave: () => client.abort(),
  }
}

/** Server-sent events whose data is JSON. */
export function eventsOf(text: string): ServerEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const fields = new Map(
        block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]),
      )
      return {
        event: fields.get('event') ?? 'message',
        data: JSON.parse(fields.get('data') ?? 'null'),
      }
    })
}
