/**
 * For tests of code that uses batchers: time that passes when the test says so, and batch functions
 * that the test ends by hand.
 *
 * @packageDocumentation
 */
export { type Call, type Crank, crank } from './crank.ts'
export { strictStores } from '@heddle/context/engine'
export { type VirtualClock, virtualClock } from './virtual-clock.ts'
