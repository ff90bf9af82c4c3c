/** Uses one core until the process that started it is gone. */

/** ms of work, after which it listens for that. */
const SLICE = 20

process.once('disconnect', () => process.exit())

function spin(): void {
  const end = performance.now() + SLICE
  while (performance.now() < end);
  setImmediate(spin)
}

spin()
