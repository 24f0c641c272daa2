import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FromEngine } from '../shared/api.ts';
import { RemoraError } from '../shared/errors.ts';
import { decodeMessage, encodeMessage, toEngineMessage } from '../shared/wire.ts';
import type { EngineSeat } from './engine/sharing.ts';
import { contentSecurityHeaders, readStaticFile } from './static-files.ts';

/**
 * Browser mode: the window's files over HTTP and the engine over a WebSocket, on loopback.
 *
 * Whoever may talk to the engine may read the user's files, and any page in the user's browser, any program and any
 * user of this machine can reach a loopback port. So: the engine wants the token of the printed URL; a `Host` that is
 * not a loopback name is refused (a remote name that was made to resolve to 127.0.0.1), and so is an `Origin` other
 * than the page's own. The port in `Host` may differ from ours, because `ssh -L` forwards under another.
 *
 *   GET /…                the window's files; they hold nothing secret
 *   GET /session          with `Authorization: Bearer TOKEN`: `{version, files}`, the files to open at first
 *   WS  /engine?token=…   messages of shared/api.ts in the framing of shared/wire.ts
 */
export interface ServeOptions {
  /** Folder of the window's files. */
  rendererFolder: string;
  /** Adds a client to the engine. */
  join: (reply: (message: FromEngine) => void) => EngineSeat;
  version: string;
  /** Absolute paths that the page opens at first. */
  files: string[];
  /** 0: any free one. */
  port: number;
}

export interface BrowserServer {
  /** Where to point a browser, token included. */
  url: string;
  port: number;
  token: string;
  /** Ends every connection and frees the port. */
  close(): Promise<void>;
}

/** An upload is one message: let it be as large as a browser can build. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;
/** Finds out about tabs that vanished behind a tunnel. */
const PING_MS = 30_000;

export async function serve(options: ServeOptions): Promise<BrowserServer> {
  const token = randomBytes(32).toString('base64url');
  const isToken = tokenCheck(token);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });

  const server = createServer((request, response) => {
    answer(request, response, options, isToken).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refusal = refuse(request, true) ?? (isEngine(request, isToken) ? null : 401);
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => connectClient(client, options));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options.port)));
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    port,
    token,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        sockets.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Compares in constant time, whatever the length of what was sent. */
function tokenCheck(token: string): (candidate: string) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (candidate) => timingSafeEqual(digest(candidate), expected);
}

/** The status with which a request from elsewhere is refused, or null. A WebSocket must say where it comes from. */
function refuse(request: IncomingMessage, originRequired: boolean): 403 | null {
  const { host, origin } = request.headers;
  if (host === undefined || !/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/.test(host)) return 403;
  if (origin === undefined) return originRequired ? 403 : null;
  return origin === `http://${host}` ? null : 403;
}

const urlOf = (request: IncomingMessage): URL | null => URL.parse(`http://127.0.0.1${request.url}`);

function isEngine(request: IncomingMessage, isToken: (candidate: string) => boolean): boolean {
  const url = urlOf(request);
  return url?.pathname === '/engine' && isToken(url.searchParams.get('token') ?? '');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  isToken: (candidate: string) => boolean,
): Promise<void> {
  const end = (status: number, body: string | Buffer, mime = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, {
      ...contentSecurityHeaders(`ws://${request.headers.host}`),
      'Content-Type': mime,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-cache',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  if (refuse(request, false) !== null) return end(403, 'This address is for the local machine only.\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(405, 'Only GET is answered.\n');
  const path = urlOf(request)?.pathname ?? '';
  if (path === '/session') {
    const candidate = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!isToken(candidate)) return end(401, 'The token is missing or is not of this server.\n');
    return end(
      200,
      JSON.stringify({ version: options.version, files: options.files }),
      'application/json; charset=utf-8',
    );
  }
  const file = await readStaticFile(options.rendererFolder, path);
  // Browsers ask for it unasked, and would complain about a 404 in the page's console.
  if (file === null && path === '/favicon.ico') return end(204, '');
  if (file === null) return end(404, 'There is nothing here.\n');
  end(200, file.bytes, file.mime);
}

function connectClient(client: WebSocket, options: ServeOptions): void {
  const seat = options.join((message) => {
    if (client.readyState === client.OPEN) client.send(encodeMessage(message));
  });
  let alive = true;
  const ping = setInterval(() => {
    if (!alive) return client.terminate();
    alive = false;
    client.ping();
  }, PING_MS);
  client.on('pong', () => {
    alive = true;
  });
  client.on('message', (data, isBinary) => {
    alive = true;
    try {
      if (!isBinary) throw new RemoraError({ code: 'bad-request', message: 'The message is not binary.' });
      seat.send(toEngineMessage(decodeMessage(data as Buffer)));
    } catch {
      // Without an id there is nobody to answer: whoever speaks another framing is shown the door.
      client.close(1002, 'not a message of this server');
    }
  });
  client.on('error', () => client.terminate());
  client.on('close', () => {
    clearInterval(ping);
    seat.leave();
  });
}

function listenError(error: NodeJS.ErrnoException, port: number): RemoraError {
  const message =
    error.code === 'EADDRINUSE'
      ? `Port ${port} is in use: choose another with --port, or leave --port out.`
      : `Cannot listen on 127.0.0.1:${port}: ${error.message}.`;
  return new RemoraError({ code: 'file', message }, { cause: error });
}
