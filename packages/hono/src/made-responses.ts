import type { Context } from 'hono'

/** What the helpers of a context have made last. */
export interface Made {
  /** Of something that is there as a whole: a string, bytes, nothing. */
  whole?: Response
  /** Of a stream, and that stream. */
  streamed?: Response
  stream?: ReadableStream
}

/**
 * Notes what `c.json()`, `c.text()`, `c.html()`, `c.body()` and `c.newResponse()` make: a response does not
 * tell what it was made of, and asking for its body changes how it goes out.
 */
export function noteResponses(c: Context): Made {
  const made = noteStreams(c)
  c.json = noted(c.json, made)
  c.text = noted(c.text, made)
  c.html = noted(c.html, made)
  return made
}

/** The same for those that may make a response of a stream. */
export function noteStreams(c: Context): Made {
  const made: Made = {}
  c.body = noted(c.body, made, isWhole)
  c.newResponse = noted(c.newResponse, made, isWhole)
  return made
}

function noted<F extends (...args: any[]) => any>(
  make: F,
  made: Made,
  makesWhole: (data: unknown) => boolean = always,
): F {
  // All of them have these parameters.
  const makeAndNote = (data: unknown, init: unknown, headers: unknown): unknown => {
    const response: unknown = make(data, init, headers)
    if (makesWhole(data)) {
      if (response instanceof Response) made.whole = response
      // Of `c.html()`, for what has to be rendered first.
      else if (response instanceof Promise) {
        void response.then((rendered: Response) => (made.whole = rendered), never)
      }
    } else if (data instanceof ReadableStream) {
      made.stream = data
      made.streamed = response as Response
    }
    return response
  }
  return makeAndNote as F
}

function always(): true {
  return true
}

/** Files, forms and generators are not: they are sent piece by piece. */
function isWhole(data: unknown): boolean {
  return (
    data === null ||
    data === undefined ||
    typeof data === 'string' ||
    ArrayBuffer.isView(data) ||
    data instanceof ArrayBuffer
  )
}

function never(): void {}
