/**
 * Which element shows which row: a row keeps its own for as long as it is in sight, and what comes into sight takes over
 * one that is not needed any more, for to change an element costs less than to make one.
 */
export class Slots {
  /** Slots by the key of what they show. */
  #slots = new Map<string, number>();
  #next = 0;

  /**
   * The slots of the rows that are in sight now, in their order. What `kept` shows is not taken over by another row,
   * such as what has the focus: that would go to a row that nobody chose.
   */
  of(keys: readonly string[], kept?: string): readonly number[] {
    const now = new Map<string, number>();
    const wanted = new Set(keys);
    const free: number[] = [];
    for (const [key, slot] of this.#slots) {
      if (wanted.has(key)) now.set(key, slot);
      else if (key !== kept) free.push(slot);
    }
    for (const key of keys) {
      if (!now.has(key)) now.set(key, free.pop() ?? this.#next++);
    }
    this.#slots = now;
    return keys.map((key) => now.get(key) ?? 0);
  }
}
