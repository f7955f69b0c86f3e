/** What an update of the metadata asks for. */
export interface MetadataQuestion {
  /** Names, or `null` for every topic there is. */
  readonly topics: readonly string[] | null;
  /** Whether it is for new topics alone: what is known of the others is as old as before. */
  readonly isPartial: boolean;
}

export const noQuestion: MetadataQuestion = Object.freeze({ topics: [], isPartial: false });

/** The question as a request, in a version of Metadata. */
export function questionBody({ topics }: MetadataQuestion, version: number, allowAutoTopicCreation: boolean) {
  if (topics !== null) return { topics: topics.map((name) => ({ name })), allowAutoTopicCreation };
  // It creates none, whatever it says, and old versions cannot say that it must not.
  return { topics: version === 0 ? [] : null, allowAutoTopicCreation: true };
}
