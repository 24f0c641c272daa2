import { ByteBudgetCache } from './byte-budget-cache.ts';
import { type MakeInTurns, type PrepareOptions, SharedWork } from './shared-work.ts';

/** What takes long to be made, and is kept up to a budget. Who asks for what is being made waits for the same. */
export class SharedCache<T> {
  readonly #kept: ByteBudgetCache<string, T>;
  readonly #making = new Map<string, SharedWork<T>>();

  constructor(budgetBytes: number, sizeOf: (value: T) => number) {
    this.#kept = new ByteBudgetCache(budgetBytes, sizeOf);
  }

  /** What is kept; that counts as use. */
  known(key: string): T | undefined {
    const value = this.#kept.peek(key);
    return value === undefined ? undefined : this.#kept.get(key, () => value);
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  values(): T[] {
    return this.#kept.values();
  }

  /** Keeps what was made on the way to something else. */
  put(key: string, value: T): void {
    this.#kept.get(key, () => value);
  }

  /** What is kept, or what `make` gives: that is kept even where nobody waits for it any more. Throws as SharedWork does. */
  async get(key: string, options: PrepareOptions, make: MakeInTurns<T>): Promise<T> {
    const known = this.known(key);
    if (known !== undefined) return known;
    let work = this.#making.get(key);
    if (work === undefined) {
      for (const [other, { isIdle }] of this.#making) if (isIdle) this.#making.delete(other);
      work = new SharedWork(async (nextTurn, onProgress) => {
        const made = await make(nextTurn, onProgress);
        this.put(key, made);
        this.#making.delete(key);
        return made;
      });
      this.#making.set(key, work);
    }
    return work.wait(options);
  }
}
