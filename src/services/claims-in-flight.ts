/**
 * Claims that this process has begun: each read, at its beginning, what is paused. Once all that were begun before a
 * pause are over, this process starts nothing that the pause is about.
 */
export class ClaimsInFlight {
  private readonly open = new Set<Promise<unknown>>();

  /** Counts a claim for as long as it takes. */
  async during<T>(claim: () => Promise<T>): Promise<T> {
    const running = claim();
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.open.add(settled);
    try {
      return await running;
    } finally {
      this.open.delete(settled);
    }
  }

  /** Resolves once every claim that is open now is over. */
  async settled(): Promise<void> {
    await Promise.all(this.open);
  }
}
