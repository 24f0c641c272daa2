import * as z from 'zod';
import {
  type FromEngine,
  type Method,
  type ParsedParams,
  type Progress,
  params,
  type Result,
  type ToEngine,
} from '../../shared/api.ts';
import { RemoraError, toErrorDetail } from '../../shared/errors.ts';
import { defaultCacheFolder } from '../cache-folder.ts';
import { CapturesOnDemand } from './captures-on-demand.ts';
import { cancelledError, handlers } from './handlers.ts';
import { Sessions } from './sessions.ts';

/** Serves the contract of shared/api.ts. One per process; knows nothing of how messages travel. */
export interface EngineCore {
  /** Handles one message; answers arrive through `reply`, in any order, each request ending with result or error. */
  dispatch(message: ToEngine, reply: (message: FromEngine) => void): void;
  /** Cancels what runs, closes every workspace and waits for what is being written. */
  close(): Promise<void>;
}

export interface EngineOptions {
  /** Where workspaces of opened recordings are kept; default: the user's cache folder. */
  cacheFolder?: string;
  version: string;
  /** A capture that nobody watches for this long is stopped. */
  unwatchedMs?: number;
}

/** What a handler is given beside its parameters. */
export interface RequestContext {
  sessions: Sessions;
  captures: CapturesOnDemand;
  version: string;
  signal: AbortSignal;
  /** Tells progress; as often as wanted, it is thinned out here. */
  onProgress(progress: Progress): void;
  /** Calls another method in process, on behalf of the same request. */
  call<M extends Method>(method: M, methodParams: z.input<(typeof params)[M]>): Promise<Result<M>>;
}

/** What takes longer than a page of rows, which goes first where both wait. */
const LONGER = new Set<string>(['lanes', 'taskLanes', 'series', 'episodes'] satisfies Method[]);

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Progress messages are at least this far apart. */
const PROGRESS_INTERVAL_MS = 50;

export function createEngine(options: EngineOptions): EngineCore {
  const sessions = new Sessions(options.cacheFolder ?? defaultCacheFolder());
  const captures = new CapturesOnDemand(sessions, options.version, options.unwatchedMs);
  const running = new Map<number, AbortController>();
  const pending = new Set<Promise<void>>();

  async function run<M extends Method>(
    method: M,
    rawParams: unknown,
    signal: AbortSignal,
    onProgress: (p: Progress) => void,
  ): Promise<Result<M>> {
    if (!Object.hasOwn(params, method))
      throw new RemoraError({ code: 'bad-request', message: `there is no method ${String(method)}` });
    const parsed = params[method].safeParse(rawParams);
    if (!parsed.success)
      throw new RemoraError({ code: 'bad-request', message: `${method}: ${z.prettifyError(parsed.error)}` });
    const { workspaceId } = parsed.data as { workspaceId?: string };
    if (workspaceId !== undefined) await sessions.ready(workspaceId);
    const context: RequestContext = {
      sessions,
      captures,
      version: options.version,
      signal,
      onProgress,
      call: (other, otherParams) => run(other, otherParams, signal, onProgress),
    };
    return handlers[method](parsed.data as ParsedParams<M>, context);
  }

  return {
    dispatch(message, reply) {
      if (message.kind === 'cancel') {
        running.get(message.id)?.abort();
        return;
      }
      const { id, method } = message;
      const controller = new AbortController();
      running.set(id, controller);
      let last = 0;
      const onProgress = (progress: Progress): void => {
        const now = performance.now();
        const { done, total, preview, firstLook } = progress;
        const drawn = preview !== undefined || firstLook !== undefined;
        if (now - last < PROGRESS_INTERVAL_MS && done < total && !drawn) return;
        last = now;
        reply({ kind: 'progress', id, progress });
      };
      // A turn of the event loop lets a cancel that is already waiting overtake the request: latest wins.
      const work = nextTurn()
        .then(() => (LONGER.has(method) ? nextTurn() : undefined))
        .then(() => {
          if (controller.signal.aborted) throw cancelledError();
          return run(method, message.params, controller.signal, onProgress);
        })
        .then(
          (result) => reply({ kind: 'result', id, result }),
          (error: unknown) => reply({ kind: 'error', id, error: toErrorDetail(error) }),
        )
        .finally(() => {
          running.delete(id);
          pending.delete(work);
        });
      pending.add(work);
    },
    async close() {
      for (const controller of running.values()) controller.abort();
      await captures.close();
      await Promise.allSettled([...pending]);
      await sessions.closeAll();
    },
  };
}
