/**
 * Timers of the platform, taken when this module is loaded: sockets do not stop for a test that puts other
 * timers in their place.
 */
export const setInterval: typeof globalThis.setInterval = globalThis.setInterval
export const clearInterval: typeof globalThis.clearInterval = globalThis.clearInterval
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate
