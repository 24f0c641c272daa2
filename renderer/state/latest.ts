import { toErrorDetail } from '../../shared/errors.ts';

/**
 * Latest request wins: starting a new one cancels the one before. `run` resolves to the work's result, or to null
 * when something newer took over; other errors reject.
 */
export class Latest {
  #current: AbortController | null = null;

  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.cancel();
    const controller = new AbortController();
    this.#current = controller;
    try {
      const result = await work(controller.signal);
      return this.#current === controller ? result : null;
    } catch (error) {
      if (this.#current !== controller || toErrorDetail(error).code === 'cancelled') return null;
      throw error;
    } finally {
      if (this.#current === controller) this.#current = null;
    }
  }

  cancel(): void {
    this.#current?.abort();
    this.#current = null;
  }
}
