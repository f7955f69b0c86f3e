/** What is at the other end of a client, as far as the client knows. */
export interface ClusterSource {
  /** `null` before it is known. */
  readonly clusterId: string | null;
}

/**
 * As much of kafkajs' cluster as tools look at that trace its clients: they are given it where a client is made, and ask it for the id of
 * the cluster whenever a message goes or comes.
 */
export class KnownCluster {
  #source: ClusterSource | null = null;

  readBy(source: ClusterSource): void {
    this.#source = source;
  }

  /** `metadata` is `null` before it is known. */
  get brokerPool(): { readonly metadata: { readonly clusterId: string } | null } {
    const clusterId = this.#source?.clusterId ?? null;
    return { metadata: clusterId === null ? null : { clusterId } };
  }

  /** Asks nobody: its client does, and knows all that there is from when it is connected. */
  async refreshMetadataIfNecessary(): Promise<void> {}
}
