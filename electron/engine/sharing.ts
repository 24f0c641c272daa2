import type { FromEngine, Result, ToEngine } from '../../shared/api.ts';

type Reply = (message: FromEngine) => void;

/** One client's way to a shared engine. */
export interface EngineSeat {
  send(message: ToEngine): void;
  /** The client has gone: cancels what it asked for; nothing is sent to it any more. */
  leave(): void;
}

interface Request {
  message: Extract<ToEngine, { kind: 'request' }>;
  /** Null once its client has left. */
  client: Client | null;
}

interface Client {
  reply: Reply;
  /** The client's ids of its running requests, and the engine's for the same. */
  running: Map<number, number>;
  /** Workspaces it has opened and not closed, once for each time. */
  workspaces: string[];
}

/**
 * Lets several clients, each numbering its requests as it likes, share one engine: ids are replaced on the way there
 * and put back on the way home. Notices go to everybody. What a client leaves running is cancelled, and what it leaves
 * open is closed. Knows nothing of processes.
 */
export class SharedEngine {
  readonly #requests = new Map<number, Request>();
  readonly #clients = new Set<Client>();
  readonly #send: (message: ToEngine) => void;
  #nextId = 1;

  /** `send` takes messages to the engine; what the engine says goes into `receive`. */
  constructor(send: (message: ToEngine) => void) {
    this.#send = send;
  }

  join(reply: Reply): EngineSeat {
    const client: Client = { reply, running: new Map(), workspaces: [] };
    this.#clients.add(client);
    return {
      send: (message) => {
        if (this.#clients.has(client)) this.#take(message, client);
      },
      leave: () => {
        if (this.#clients.delete(client)) this.#clearUp(client);
      },
    };
  }

  /** Takes one message from the engine to the client that it is for. */
  receive(message: FromEngine): void {
    if (message.kind === 'notice') {
      for (const { reply } of [...this.#clients]) reply(message);
      return;
    }
    const request = this.#requests.get(message.id);
    if (request === undefined) return; // a second answer
    if (message.kind !== 'progress') this.#settle(message, request);
    request.client?.reply({ ...message, id: request.message.id });
  }

  /** The engine has ended: every request that it had not answered fails, and nothing is open any more. */
  failAll(reason: string): void {
    for (const client of this.#clients) client.workspaces = [];
    for (const id of [...this.#requests.keys()]) {
      this.receive({ kind: 'error', id, error: { code: 'engine-gone', message: reason } });
    }
  }

  #take(message: ToEngine, client: Client): void {
    const running = client.running.get(message.id);
    if (message.kind === 'cancel') {
      if (running !== undefined) this.#send({ kind: 'cancel', id: running });
    } else if (running !== undefined) {
      const error = { code: 'bad-request', message: `Request ${message.id} is still running.` } as const;
      client.reply({ kind: 'error', id: message.id, error });
    } else {
      this.#request(message, client);
    }
  }

  #request(message: Request['message'], client: Client | null): void {
    const id = this.#nextId++;
    this.#requests.set(id, { message, client });
    client?.running.set(message.id, id);
    // Last: the answer may come before this returns.
    this.#send({ ...message, id });
  }

  /** Keeps account of what a request that has ended opened or closed. */
  #settle(answer: Extract<FromEngine, { kind: 'result' | 'error' }>, { message, client }: Request): void {
    this.#requests.delete(answer.id);
    client?.running.delete(message.id);
    if (answer.kind === 'error') return;
    if (message.method === 'open') {
      const { workspaceId } = answer.result as Result<'open'>;
      if (client === null) this.#close(workspaceId);
      else client.workspaces.push(workspaceId);
    } else if (message.method === 'close' && client !== null) {
      const { workspaceId } = message.params as { workspaceId: string };
      const index = client.workspaces.indexOf(workspaceId);
      if (index >= 0) client.workspaces.splice(index, 1);
    }
  }

  #clearUp(client: Client): void {
    for (const id of client.running.values()) {
      const request = this.#requests.get(id);
      if (request !== undefined) request.client = null;
      this.#send({ kind: 'cancel', id });
    }
    for (const workspaceId of client.workspaces) this.#close(workspaceId);
  }

  #close(workspaceId: string): void {
    this.#request({ kind: 'request', id: 0, method: 'close', params: { workspaceId } }, null);
  }
}
