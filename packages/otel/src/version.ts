/** The instrumentation scope of this package's spans; a test holds it against package.json. */
export const name = '@heddle/otel'
export const version = '0.1.0'
