import { assertOptions as assertKnown, type OptionRules } from '@heddle/context/engine'

/**
 * Refuses wrong and unknown options. Handing the function itself to Hono, which then calls it with its
 * context for every request, is a mistake of its own.
 *
 * @param cure - how `caller` is used in an app
 * @param parent - the option that has these options as its value
 * @throws TypeError
 */
export function assertOptions(
  caller: string,
  options: unknown,
  rules: OptionRules,
  cure?: string,
  parent?: string,
): asserts options is object {
  if (cure !== undefined && isHonoContext(options)) {
    throw new TypeError(
      `${caller}(): Expected the options to be an object, got the context of a request. ` +
        `Likely cause: \`${caller}\` was given to Hono, not what it returns. Cure: \`${cure}\`.`,
    )
  }
  assertKnown(caller, options, rules, parent)
}

/** By its shape: the app may have another copy of Hono. */
function isHonoContext(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'req' in value &&
    typeof value.req === 'object' &&
    value.req !== null &&
    'raw' in value.req
  )
}
