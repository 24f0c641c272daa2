import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sessions } from '../../electron/engine/sessions.ts';
import type { SqlOrder } from '../../electron/engine/sql-child.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { projectRoot } from '../cli.ts';

/**
 * Processes that are told to end, or whose parent has gone, end by themselves and soon: `process.exit` may wait for ever, see
 * endProcess, and Node says so on stderr where it was called.
 */
const folder = mkdtempSync(join(tmpdir(), 'remora-ends-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (path: string): string => join(projectRoot, 'electron', path);
const sample = join(projectRoot, 'assets/samples/throttle.dat');
const env = { ...process.env, REMORA_CACHE: join(folder, 'cache'), NODE_OPTIONS: '--trace-exit' };

/** How a process ended, and what it said on standard error. Not by `close`, which a child that is disconnected does not have. */
async function ended(child: ChildProcess): Promise<{ how: number | string | null; said: string }> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const quiet = new Promise<void>((resolve) => child.stderr?.once('end', () => resolve()));
  const how = await new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  await quiet;
  return { how, said };
}
const byItself = { how: 0, said: '' };

function forked(path: string): ChildProcess {
  return fork(path, { env, execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
}

describe('an engine whose host has gone', () => {
  async function engine(): Promise<{ child: ChildProcess; client: EngineClient; end: ReturnType<typeof ended> }> {
    const child = forked(file('engine/entry.ts'));
    const client = new EngineClient((message) => child.send(message));
    child.on('message', (message) => client.receive(message as Parameters<typeof client.receive>[0]));
    await client.call('hello', {});
    return { child, client, end: ended(child) };
  }

  it('ends, with a recording open', async () => {
    const { child, client, end } = await engine();
    await client.call('open', { paths: [sample] });
    child.disconnect();
    expect(await end).toEqual(byItself);
  });

  it('ends in the middle of an opening', async () => {
    const { child, client, end } = await engine();
    client.call('open', { paths: [sample], noCache: true }).catch(() => {});
    child.disconnect();
    expect(await end).toEqual(byItself);
  });
});

describe('a capture process that has nothing to do', () => {
  const start = (): ChildProcess =>
    spawn(process.execPath, [file('live/capture.ts')], { env, stdio: ['pipe', 'pipe', 'pipe'] });

  it('ends with its input', async () => {
    const child = start();
    const end = ended(child);
    child.stdin?.end();
    expect(await end).toEqual(byItself);
  });

  it('ends when it is told to, with its input open', async () => {
    const child = start();
    const end = ended(child);
    // It answers: it hears signals by now.
    const answered = new Promise((resolve) => child.stdout?.once('data', resolve));
    child.stdin?.write('nonsense\n');
    await answered;
    child.kill('SIGTERM');
    expect(await end).toEqual(byItself);
  });
});

describe('the process of a query whose parent was killed', () => {
  const workspace = join(folder, 'sql.remora');
  beforeAll(async () => {
    const sessions = new Sessions(folder);
    await sessions.open({ paths: [sample], workspace });
    await sessions.closeAll();
  });

  /** Sends the order, and says the query's process when that has sent a message of the kind. */
  const PARENT = `import { fork } from 'node:child_process';
    const child = fork(process.env.ENTRY, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] });
    child.on('message', ({ kind }) => kind === process.env.KIND && process.stdout.write(String(child.pid)));
    child.send(JSON.parse(process.env.ORDER));`;

  it.each([
    ['while it waits for somebody to take its rows', 'SELECT * FROM event', 'rows'],
    [
      'while it runs',
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n',
      'columns',
    ],
  ] as const)('%s ends, and leaves nothing', async (_, query, kind) => {
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    const open = { paths: [sample], workspace, memoryPageBytes: 4096, cacheFolder: folder };
    const order: SqlOrder = { kind: 'query', query, maxRows: 1e9, open, scratch };
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT], {
      env: { ...process.env, ORDER: JSON.stringify(order), ENTRY: file('engine/sql-process.ts'), KIND: kind },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number(text))),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
    expect(existsSync(scratch)).toBe(false);
  });

  /** A zombie, which nobody waits for, has ended. */
  function isAlive(pid: number): boolean {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return false;
    }
  }
});
