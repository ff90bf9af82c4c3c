/** Uses one core until the process that started it is gone. */
const SLICE = 20

process.once('disconnect', () => process.exit())

function spin(): void {
  const end = performance.now() + SLICE
  while (performance.now() < end);
  // Between two slices it hears that it is alone.
  setImmediate(spin)
}

spin()
