import type { FromEngine, ToEngine } from '../../shared/api.ts';

type Reply = (message: FromEngine) => void;

/** One client's way to a shared engine. */
export interface EngineSeat {
  send(message: ToEngine): void;
  /** The client has gone: cancels what it asked for; nothing is sent to it any more. */
  leave(): void;
}

/**
 * Lets several clients, each numbering its requests as it likes, share one engine: ids are replaced on the way there
 * and put back on the way home. Notices go to everybody. Knows nothing of processes.
 */
export class SharedEngine {
  readonly #requests = new Map<number, { clientId: number; reply: Reply }>();
  readonly #clients = new Set<Reply>();
  readonly #send: (message: ToEngine) => void;
  #nextId = 1;

  /** `send` takes messages to the engine; what the engine says goes into `receive`. */
  constructor(send: (message: ToEngine) => void) {
    this.#send = send;
  }

  join(toClient: Reply): EngineSeat {
    /** The client's ids of its running requests, and the engine's for the same. */
    const ids = new Map<number, number>();
    const reply: Reply = (message) => {
      if (message.kind === 'result' || message.kind === 'error') ids.delete(message.id);
      toClient(message);
    };
    this.#clients.add(reply);
    return {
      send: (message) => {
        if (!this.#clients.has(reply)) return;
        const running = ids.get(message.id);
        if (message.kind === 'cancel') {
          if (running !== undefined) this.#send({ kind: 'cancel', id: running });
          return;
        }
        if (running !== undefined) {
          const error = { code: 'bad-request', message: `Request ${message.id} is still running.` } as const;
          toClient({ kind: 'error', id: message.id, error });
          return;
        }
        const id = this.#nextId++;
        ids.set(message.id, id);
        this.#requests.set(id, { clientId: message.id, reply });
        this.#send({ ...message, id });
      },
      leave: () => {
        if (!this.#clients.delete(reply)) return;
        for (const id of ids.values()) {
          this.#requests.delete(id);
          this.#send({ kind: 'cancel', id });
        }
        ids.clear();
      },
    };
  }

  /** Takes one message from the engine to the client that it is for. */
  receive(message: FromEngine): void {
    if (message.kind === 'notice') {
      for (const reply of [...this.#clients]) reply(message);
      return;
    }
    const request = this.#requests.get(message.id);
    if (request === undefined) return; // its client has left
    if (message.kind !== 'progress') this.#requests.delete(message.id);
    request.reply({ ...message, id: request.clientId });
  }

  /** The engine has ended: every request that it had not answered fails. */
  failAll(reason: string): void {
    for (const id of [...this.#requests.keys()]) {
      this.receive({ kind: 'error', id, error: { code: 'engine-gone', message: reason } });
    }
  }
}
