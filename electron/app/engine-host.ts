import { MessageChannelMain, type UtilityProcess, utilityProcess, type WebContents } from 'electron';
import type { FromEngine } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { enginePath } from '../installation.ts';

const CLOSE_MS = 5_000;

/**
 * The engine as a utility process. Every window has a MessagePort to it of its own, so that the main process sees none
 * of the traffic; after a crash the engine is started again and every window gets a new port.
 */
export class DesktopEngine {
  /** The main process's own connection, for what the menu shows. */
  readonly client = new EngineClient();
  readonly #windows = new Set<WebContents>();
  #child: UtilityProcess | null = null;
  #closing = false;

  /** Gives a window its port, starting the engine if need be. A reloaded page asks again. */
  connect(contents: WebContents): void {
    if (!this.#windows.has(contents)) {
      this.#windows.add(contents);
      contents.once('destroyed', () => this.#windows.delete(contents));
    }
    this.#handPort(contents, null);
  }

  start(): UtilityProcess {
    this.#child ??= this.#fork();
    return this.#child;
  }

  /** Ends an engine that hangs, as if it had crashed. A hung process does not heed the polite signal. */
  end(): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  /** Lets the engine finish writing and end; ends it by force when it takes too long. */
  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const force = setTimeout(() => this.end(), CLOSE_MS);
    // It says that it is closed, and nothing else.
    child.once('message', () => this.end());
    child.postMessage({ kind: 'close' });
    await ended;
    clearTimeout(force);
  }

  #fork(): UtilityProcess {
    const child = utilityProcess.fork(enginePath, [], { serviceName: 'Remora engine', stdio: 'inherit' });
    const { port1, port2 } = new MessageChannelMain();
    child.postMessage({ kind: 'connect' }, [port2]);
    port1.on('message', ({ data }) => this.client.receive(data as FromEngine));
    port1.start();
    this.client.reconnect((message) => port1.postMessage(message));
    const startedMs = Date.now();
    child.once('exit', (code) => this.#ended(code, Date.now() - startedMs));
    return child;
  }

  #ended(code: number, livedMs: number): void {
    this.#child = null;
    if (this.#closing) return;
    const reason = `The engine process ended (exit code ${code}) and is started again. Annotations are kept; repeat what you were doing.`;
    this.client.disconnect(reason);
    // One that dies at once is not started again in the same moment, or nothing else would happen any more.
    const waitMs = livedMs > 5_000 ? 0 : 1_000;
    setTimeout(() => {
      if (this.#closing) return;
      for (const contents of this.#windows) this.#handPort(contents, reason);
    }, waitMs);
  }

  #handPort(contents: WebContents, restarted: string | null): void {
    const { port1, port2 } = new MessageChannelMain();
    this.start().postMessage({ kind: 'connect' }, [port1]);
    contents.postMessage('engine-port', restarted, [port2]);
  }
}
