/**
 * Tells whoever waits that something changed. Listeners are called in turns of their own: many changes in one turn wake
 * once, nobody is called in the midst of a change, and a listener that throws takes no other with it.
 */
export class WakeSignal {
  readonly #listeners = new Set<() => void>();
  #isQueued = false;

  /** @returns ends the listening; also a call that is already under way does not come any more */
  onWake(listener: () => void): () => void {
    // One object for each subscription, so that the same function may listen twice.
    const call = () => listener();
    this.#listeners.add(call);
    return () => this.#listeners.delete(call);
  }

  wake(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      for (const call of this.#listeners) {
        queueMicrotask(() => {
          if (this.#listeners.has(call)) call();
        });
      }
    });
  }
}
