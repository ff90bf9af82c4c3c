/**
 * The API of npm's `dataloader` over Heddle's engine: its import line is all that changes.
 *
 * @packageDocumentation
 */
export { DataLoader, DataLoader as default } from './data-loader.ts'
export type { BatchLoadFn, CacheMap, DataLoaderOptions } from './options.ts'
