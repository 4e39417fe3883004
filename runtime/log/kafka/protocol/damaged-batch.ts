/** Thrown for bytes that are no record batch, or that changed on the way. */
export class DamagedBatch extends Error {}
