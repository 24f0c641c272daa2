import type { FromEngine, ToEngine } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { toEngineMessage } from '../../shared/wire.ts';
import { endProcess } from '../end-process.ts';
import { version } from '../installation.ts';
import { createEngine } from './engine.ts';
import { type EngineSeat, SharedEngine } from './sharing.ts';

/**
 * The engine's own process. Two ways to be started:
 * - as a child of `fork` (serialization `advanced`): messages of the contract come over the process channel, whose end
 *   is the order to close;
 * - as Electron's utility process: the main process hands over one MessagePort per window with `{kind: 'connect'}`, orders
 *   the engine to close with `{kind: 'close'}`, and ends the process when that says `{kind: 'closed'}`: one of Electron's
 *   does not end by itself.
 */

/** What is used of Electron's `process.parentPort`; only electron/app may import electron's own types. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown; ports: MessagePortMain[] }) => void): void;
  postMessage(message: unknown): void;
}
interface MessagePortMain {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
  start(): void;
  postMessage(message: unknown): void;
}

const core = createEngine({ version });
const shared = new SharedEngine((message) => core.dispatch(message, (answer) => shared.receive(answer)));

/** Adds a client at the other end of a channel; returns what takes its messages. */
function serve(reply: (message: FromEngine) => void): { seat: EngineSeat; take: (data: unknown) => void } {
  const seat = shared.join(reply);
  const take = (data: unknown): void => {
    try {
      seat.send(toEngineMessage(data));
    } catch (error) {
      const id = (data as { id?: unknown } | null)?.id;
      if (typeof id === 'number') reply({ kind: 'error', id, error: toErrorDetail(error) });
    }
  };
  return { seat, take };
}

let closing: Promise<void> | undefined;
function close(): Promise<void> {
  closing ??= core.close();
  return closing;
}

// Ctrl+C reaches every process of the terminal; the parent decides what it means and orders the engine to close.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

const parentPort = (process as { parentPort?: ParentPort }).parentPort;
if (parentPort !== undefined) {
  parentPort.on('message', ({ data, ports }) => {
    const order = (data as { kind?: unknown } | null)?.kind;
    if (order === 'close') void close().finally(() => parentPort.postMessage({ kind: 'closed' }));
    const port = ports[0];
    if (order !== 'connect' || port === undefined) return;
    const { seat, take } = serve((message) => port.postMessage(message));
    port.on('message', (event) => take(event.data));
    port.on('close', () => seat.leave());
    port.start();
  });
} else {
  const { take } = serve((message) => {
    if (process.connected) process.send?.(message);
  });
  process.on('message', (message: ToEngine) => take(message));
  process.on('disconnect', () => void close().finally(() => endProcess(0)));
}
