/**
 * What `NODE_ENV` is where the program runs. Bundlers replace `process.env.NODE_ENV` by what it is where they run,
 * `"development"` by default with `bun build`; so it is not written like that anywhere.
 */
export function mode(): string | undefined {
  const { env } = process
  return env.NODE_ENV
}
