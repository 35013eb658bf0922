import { asProblem, type Problem } from "./problem";

/** Something that is fetched, and fetched anew on demand; what is known stays shown meanwhile. */
export class Loaded<T> {
  value = $state.raw<T>();
  problem = $state<Problem>();
  busy = $state(false);
  readonly #ask: () => Promise<T>;
  #newest = 0;

  /** Fetches it at once. */
  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
    void this.load();
  }

  /** Fetches it anew; an answer that a newer one has overtaken is dropped. */
  async load(): Promise<void> {
    const turn = ++this.#newest;
    this.busy = true;
    this.problem = undefined;
    try {
      const value = await this.#ask();
      if (turn === this.#newest) this.value = value;
    } catch (error) {
      if (turn === this.#newest) this.problem = asProblem(error);
    } finally {
      if (turn === this.#newest) this.busy = false;
    }
  }
}
