import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SharedEngine } from '../../../electron/engine/sharing.ts';
import { type BrowserServer, serve } from '../../../electron/serve.ts';
import type { FromEngine, ToEngine } from '../../../shared/api.ts';
import { decodeMessage, encodeMessage } from '../../../shared/wire.ts';

let folder: string;
let server: BrowserServer;
/** What reached the engine. */
let received: ToEngine[];
let engine: SharedEngine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remora-serve-'));
  const rendererFolder = join(folder, 'renderer');
  await mkdir(join(rendererFolder, 'assets'), { recursive: true });
  await writeFile(join(rendererFolder, 'index.html'), '<title>Remora</title>');
  await writeFile(join(rendererFolder, 'assets', 'a b.js'), 'export {};');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(rendererFolder, '.hidden'), 'secret');
  await symlink(join(folder, 'secret.txt'), join(rendererFolder, 'link.txt'));
  received = [];
  engine = new SharedEngine((message) => received.push(message));
  server = await serve({
    rendererFolder,
    join: (reply) => engine.join(reply),
    version: '1.2.3',
    files: ['/a.dat'],
    port: 0,
  });
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** A request with full control over path and headers, which fetch would tidy up. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

/** Opens a WebSocket; resolves to it, or to the status with which it was refused. */
function connect(token: string, headers: Record<string, string>): Promise<WebSocket | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/engine?token=${token}`, { headers });
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.once('error', (error) => reject(error));
  });
}

const ownOrigin = (): Record<string, string> => ({ origin: `http://127.0.0.1:${server.port}` });

async function open(): Promise<WebSocket> {
  const socket = await connect(server.token, ownOrigin());
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  return socket;
}

const nextMessage = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(decodeMessage(data as Buffer))));

/** Waits until `condition` holds; the test's own time limit is the only clock. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('files', () => {
  it('serves the window with a policy that allows nothing remote', async () => {
    const { status, headers, body } = await get('/');
    expect([status, headers['content-type'], body]).toEqual([200, 'text/html; charset=utf-8', '<title>Remora</title>']);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${server.port};`);
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    expect((await get('/assets/a%20b.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
  });

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//secret.txt',
    '/link.txt',
    '/.hidden',
    '/assets',
    '/assets/',
    '/index.html%00.js',
    '/%ff',
    '/index.html/x',
    `/${'x'.repeat(5000)}`,
  ])('finds nothing at %s', async (path) => {
    const { status, body } = await get(path);
    expect([status, body]).toEqual([404, 'There is nothing here.\n']);
  });

  it('answers only to reading', async () => {
    expect((await get('/', {}, 'POST')).status).toBe(405);
    expect(await get('/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });
});

describe('who may ask', () => {
  it.each([
    ['another name', { host: 'attacker.example' }],
    ['a name that begins like ours', { host: '127.0.0.1.attacker.example' }],
    ['another origin', { origin: 'http://attacker.example' }],
    ['no origin of a page', { origin: 'null' }],
  ])('refuses %s', async (_name, headers: Record<string, string>) => {
    expect((await get('/', headers)).status).toBe(403);
    expect((await get('/session', { ...headers, authorization: `Bearer ${server.token}` })).status).toBe(403);
    expect(await connect(server.token, { ...ownOrigin(), ...headers })).toBe(403);
  });

  it('accepts another port in front of a tunnel', async () => {
    expect((await get('/', { host: 'localhost:9000', origin: 'http://localhost:9000' })).status).toBe(200);
    expect((await get('/', { host: 'localhost:9000', origin: 'http://localhost:9001' })).status).toBe(403);
  });

  it('tells what to open only with the token', async () => {
    expect((await get('/session')).status).toBe(401);
    expect((await get('/session', { authorization: 'Bearer x' })).status).toBe(401);
    const { status, body } = await get('/session', { authorization: `Bearer ${server.token}` });
    expect([status, JSON.parse(body)]).toEqual([200, { version: '1.2.3', files: ['/a.dat'] }]);
  });

  it('opens the engine only with the token and the origin', async () => {
    expect(await connect('', ownOrigin())).toBe(401);
    expect(await connect(server.token.slice(1), ownOrigin())).toBe(401);
    expect(await connect(server.token, {})).toBe(403);
    (await open()).terminate();
  });

  it('has a token that is not guessed, in the URL', () => {
    expect(Buffer.from(server.token, 'base64url').length).toBe(32);
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/?token=${server.token}`);
  });
});

describe('the engine behind the socket', () => {
  it('carries messages both ways, typed arrays included', async () => {
    const socket = await open();
    const bytes = new Uint8Array(300_000).fill(7);
    socket.send(encodeMessage({ kind: 'request', id: 5, method: 'upload', params: { name: 'a.dat', bytes } }));
    await until(() => received.length === 1);
    const request = received[0] as Extract<ToEngine, { kind: 'request' }>;
    expect(request).toMatchObject({ kind: 'request', method: 'upload', params: { name: 'a.dat' } });
    expect(Buffer.compare((request.params as { bytes: Uint8Array }).bytes, bytes)).toBe(0);

    const answer = nextMessage(socket);
    engine.receive({ kind: 'result', id: request.id, result: { t: new Float64Array([1.5]) } });
    expect(await answer).toEqual({ kind: 'result', id: 5, result: { t: new Float64Array([1.5]) } });
    socket.terminate();
  });

  it('keeps two tabs apart', async () => {
    const [first, second] = [await open(), await open()];
    first.send(encodeMessage({ kind: 'request', id: 1, method: 'hello', params: { from: 'first' } }));
    await until(() => received.length === 1);
    second.send(encodeMessage({ kind: 'request', id: 1, method: 'hello', params: { from: 'second' } }));
    await until(() => received.length === 2);
    const answers = Promise.all([nextMessage(first), nextMessage(second)]);
    engine.receive({ kind: 'result', id: received[1]?.id as number, result: 'for the second' });
    engine.receive({ kind: 'result', id: received[0]?.id as number, result: 'for the first' });
    expect(await answers).toEqual([
      { kind: 'result', id: 1, result: 'for the first' },
      { kind: 'result', id: 1, result: 'for the second' },
    ] satisfies FromEngine[]);
    first.terminate();
    second.terminate();
  });

  it('cancels what a closed tab had asked for', async () => {
    const socket = await open();
    socket.send(encodeMessage({ kind: 'request', id: 9, method: 'hello', params: {} }));
    await until(() => received.length === 1);
    socket.terminate();
    await until(() => received.length === 2);
    expect(received[1]).toEqual({ kind: 'cancel', id: received[0]?.id });
  });

  it.each([
    ['text', '{"kind":"cancel","id":1}'],
    ['noise', Buffer.from('noise')],
    ['a message of the other direction', encodeMessage({ kind: 'result', id: 1, result: null })],
  ])('closes on %s', async (_name, data) => {
    const socket = await open();
    const code = new Promise((resolve) => socket.once('close', resolve));
    socket.send(data);
    expect(await code).toBe(1002);
    expect(received).toEqual([]);
  });
});

describe('serve', () => {
  it('says what to do when the port is taken', async () => {
    const again = serve({
      rendererFolder: folder,
      join: (reply) => engine.join(reply),
      version: '',
      files: [],
      port: server.port,
    });
    await expect(again).rejects.toMatchObject({ detail: { code: 'file', message: expect.stringContaining('--port') } });
  });

  it('ends its connections and frees the port', async () => {
    const socket = await open();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await closed;
    const refused = new Promise((resolve) => createConnection(server.port, '127.0.0.1').once('error', resolve));
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
