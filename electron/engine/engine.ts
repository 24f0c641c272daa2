import type { FromEngine, ToEngine } from '../../shared/api.ts';

/** TODO: being written. */
export interface EngineCore {
  /** Handles one message; answers arrive through `reply`, in any order, each request ending with result or error. */
  dispatch(message: ToEngine, reply: (message: FromEngine) => void): void;
  /** Closes every workspace and waits for what is being written. */
  close(): Promise<void>;
}

export interface EngineOptions {
  /** Where workspaces of opened recordings are kept; default: the user's cache folder. */
  cacheFolder?: string;
  version: string;
}

export declare function createEngine(options: EngineOptions): EngineCore;
