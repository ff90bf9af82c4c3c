/** Before a batcher's name, these are the names of the spans. */
export const WAIT = 'wait'
export const EXECUTE = 'execute'
export const BATCH = 'batch'

export const ATTR_BATCHER_NAME = 'heddle.batcher.name'
/** On spans only: every batch has another, which no metric could bear. */
export const ATTR_BATCH_ID = 'heddle.batch.id'
/** The true number of items, also where there are more than a span can link to. */
export const ATTR_BATCH_SIZE = 'heddle.batch.size'
export const ATTR_BATCH_MAX_SIZE = 'heddle.batch.max_size'
export const ATTR_BATCH_REASON = 'heddle.batch.reason'
export const ATTR_BATCH_PARTITION = 'heddle.batch.partition'
/** The item's place in its batch. */
export const ATTR_ITEM_INDEX = 'heddle.item.index'
/** Seconds. */
export const ATTR_ITEM_TIME_IN_QUEUE = 'heddle.item.time_in_queue'
/** Callers that wait for the item, where there are several. */
export const ATTR_ITEM_WAITERS = 'heddle.item.waiters'
export const ATTR_STREAM_CHUNKS = 'heddle.stream.chunks'
/** Steps of a continuous batcher that the item was part of. */
export const ATTR_STREAM_STEPS = 'heddle.stream.steps'
/** Seconds from the submit. */
export const ATTR_STREAM_TIME_TO_FIRST_CHUNK = 'heddle.stream.time_to_first_chunk'
/** Items that waited already when this one was submitted. */
export const ATTR_QUEUE_SIZE = 'heddle.queue.size'

/** Values of `error.type` for what the engine or the caller does; other errors have their class name. */
export const ERROR_QUEUE_FULL = 'queue_full'
export const ERROR_DEADLINE_EXCEEDED = 'deadline_exceeded'
export const ERROR_CLOSED = 'closed'
export const ERROR_ABORTED = 'aborted'
