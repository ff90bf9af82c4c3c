/**
 * The API of npm's `dataloader` over Heddle's engine: only the import line changes. Each request has a cache of
 * its own. By default a batch has the keys of one task; the option `acrossRequests` lets requests share batches.
 *
 * @packageDocumentation
 */
export { DataLoader, DataLoader as default } from './data-loader.ts'
export type { BatchLoadFn, CacheMap, DataLoaderOptions } from './options.ts'
