/** As much of the API of kafkajs as is measured. Both libraries fulfil it. */
export interface KafkaJsLibrary {
  readonly Kafka: new (config: {
    brokers: string[];
    logLevel: 0;
  }) => {
    producer(config: object): {
      connect(): Promise<void>;
      disconnect(): Promise<void>;
      send(record: object): Promise<unknown>;
      sendBatch(batch: object): Promise<unknown>;
    };
    consumer(config: { groupId: string }): {
      connect(): Promise<void>;
      subscribe(subscription: { topics: string[]; fromBeginning: boolean }): Promise<void>;
      run(config: {
        autoCommit: boolean;
        eachBatch?: (payload: { batch: { partition: number; messages: Message[] } }) => Promise<void>;
        eachMessage?: (payload: { partition: number; message: Message }) => Promise<void>;
      }): Promise<void>;
    };
  };
  readonly Partitioners: { readonly DefaultPartitioner: unknown };
}

interface Message {
  key: Buffer | null;
  value: Buffer | null;
  offset: string;
}

/** `logLevel.NOTHING`, of which each library has a type of its own. */
export const silent = 0;

/** Loaded where it is measured, and nowhere else. */
export const loadKafkaJs = {
  kafkajs: (): Promise<KafkaJsLibrary> => import("kafkajs"),
  "@odradek/kafkajs": (): Promise<KafkaJsLibrary> => import("@odradek/kafkajs"),
} as const;
