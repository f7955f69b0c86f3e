/** Under which a broker knows a producer, from InitProducerId. The epoch tells the latest of them from those before. */
export interface ProducerIdAndEpoch {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** Of a producer that has none. */
export const noProducerId: ProducerIdAndEpoch = Object.freeze({ producerId: -1n, producerEpoch: -1 });

/** The last epoch of an id; the next one needs another id. */
export const lastEpoch = 0x7fff;

export const hasId = ({ producerId }: ProducerIdAndEpoch): boolean => producerId >= 0n;

export const isSameProducer = (a: ProducerIdAndEpoch, b: ProducerIdAndEpoch): boolean =>
  a.producerId === b.producerId && a.producerEpoch === b.producerEpoch;
