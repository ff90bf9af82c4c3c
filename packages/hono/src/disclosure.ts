import { mode } from '@heddle/context/engine'

/**
 * Whether clients may see what is internal (messages of errors, timings, the inspector) where no option says
 * so. Only an explicit `development` counts, because many services run with `NODE_ENV` unset.
 */
export function disclosesByDefault(): boolean {
  return mode() === 'development'
}
