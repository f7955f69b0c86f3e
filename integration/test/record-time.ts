/**
 * The time of records that are to have a certain one, milliseconds since 1970; later ones are a few seconds later. It is not long ago:
 * every five minutes brokers look for what is older than a week and delete it, also where it was written a moment before.
 */
export const recordTimeMs = Date.now() - 3_600_000;
