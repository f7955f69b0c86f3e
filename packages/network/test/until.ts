/**
 * Waits for something that the event loop brings about, looking at it turn by turn.
 *
 * @throws where it does not happen: a test that waits for ever says nothing
 */
export async function until(happened: () => boolean, withinMs = 30_000): Promise<void> {
  const startMs = performance.now();
  while (!happened()) {
    if (performance.now() - startMs > withinMs)
      throw new Error(`did not happen within ${withinMs} ms: ${String(happened)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
