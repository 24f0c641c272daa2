import type { CallOptions, Method, Params, Result } from '../../shared/api.ts';
import { RemoraError, toErrorDetail } from '../../shared/errors.ts';
import type { Host } from '../bridge.ts';
import { whileBusy } from './idle.ts';
import { workspaceStore } from './stores.ts';

/**
 * The window's connection to its engine. Every request of the window goes through `call` or `query`, so that the
 * idle signal knows of it.
 */
let host: Host | null = null;

export function attachHost(connected: Host): void {
  host = connected;
}

export function currentHost(): Host {
  if (!host) throw new RemoraError({ code: 'engine-gone', message: 'The window is not connected to an engine yet.' });
  return host;
}

export function call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>> {
  return whileBusy(currentHost().engine.call(method, params, options));
}

type WorkspaceMethod = { [M in Method]: Params<M> extends { workspaceId: string } ? M : never }[Method];

/** A request about the open workspace. Rejects with `not-found` when none is open. */
export function query<M extends WorkspaceMethod>(
  method: M,
  params: Omit<Params<M>, 'workspaceId'>,
  options?: CallOptions,
): Promise<Result<M>> {
  const id = workspaceStore.getState().summary?.workspaceId;
  if (!id) return Promise.reject(new RemoraError({ code: 'not-found', message: 'No recording is open.' }));
  return call(method, { ...params, workspaceId: id } as unknown as Params<M>, options);
}

/** Shows an error until it is dismissed. Cancelling is what the user wanted, so it shows nothing. */
export function reportError(error: unknown): void {
  const detail = toErrorDetail(error);
  if (detail.code !== 'cancelled') workspaceStore.setState({ error: detail });
}

export function dismissError(): void {
  workspaceStore.setState({ error: null });
}
