import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { SqlCell } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { prepareSql } from '../query/sql.ts';
import { materializeTables } from '../query/sql-materialize.ts';
import { type Session, Sessions } from './sessions.ts';
import type { FromSqlProcess, SqlOrder, ToSqlProcess } from './sql-child.ts';
import { sqlWorkspace } from './sql-workspace.ts';

/**
 * The process of one SQL query: opens the workspace again, to read it only, answers, and is ended by its parent. SQLite does
 * not give its thread back until it is done, so that ending the process is the one way to stop a query at once.
 */

/** Rows that travel together, and how long the first of them may wait for the others. */
const ROWS_PER_MESSAGE = 2000;
const MESSAGE_INTERVAL_MS = 100;
const WATCH_INTERVAL_MS = 500;

// Ctrl+C reaches every process of the terminal; the parent decides what it means.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => end([]));
/** A query that runs hears nothing of its parent's end: a thread watches for the orphan. */
const WATCH = `const { workerData: { parent, leavings } } = require('node:worker_threads');
setInterval(() => {
  if (process.ppid === parent) return;
  for (const path of leavings) require('node:fs').rmSync(path, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}, ${WATCH_INTERVAL_MS});`;

/** Nobody waits for an answer any more: at once, as there is nothing to complete. `leavings`: what the parent would have removed. */
function end(leavings: readonly string[]): void {
  for (const path of leavings) rmSync(path, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}

const send = (message: FromSqlProcess): Promise<void> =>
  new Promise((resolve) => process.send?.(message, undefined, {}, () => resolve()));

let takeMore: (() => void) | null = null;

process.on('message', (message: ToSqlProcess) => {
  if (message.kind === 'more') takeMore?.();
  else void answer(message);
});

async function answer(order: SqlOrder): Promise<void> {
  const leavings = [order.scratch, ...(order.kind === 'materialize' ? [order.path] : [])];
  process.removeAllListeners('disconnect').on('disconnect', () => end(leavings));
  new Worker(WATCH, { eval: true, workerData: { parent: process.ppid, leavings } }).unref();
  try {
    const session = await new Sessions(order.open.cacheFolder).open({ ...order.open, readOnly: true });
    await send({ kind: 'opened' });
    if (order.kind === 'query') await query(session, order);
    else materializeTables(sqlWorkspace(session), order.path, (progress) => void send({ kind: 'progress', progress }));
    if (order.kind === 'materialize') await send({ kind: 'end', truncated: false });
  } catch (error) {
    await send({ kind: 'error', error: toErrorDetail(error) });
  }
}

async function query(
  session: Session,
  { query: text, maxRows, scratch }: Extract<SqlOrder, { kind: 'query' }>,
): Promise<void> {
  const prepared = prepareSql(sqlWorkspace(session), text, { scratch });
  await send({ kind: 'columns', columns: prepared.columns });
  let rows: SqlCell[][] = [];
  let count = 0;
  let truncated = false;
  let sentMs = performance.now();
  let taken = Promise.resolve();
  const flush = async (): Promise<void> => {
    // One message is on its way while the next is made, and no more.
    await taken;
    taken = new Promise((resolve) => {
      takeMore = resolve;
    });
    await send({ kind: 'rows', rows });
    rows = [];
    sentMs = performance.now();
  };
  for (const row of prepared.rows()) {
    if (count === maxRows) {
      truncated = true;
      break;
    }
    count++;
    rows.push(row);
    if (rows.length >= ROWS_PER_MESSAGE || performance.now() - sentMs > MESSAGE_INTERVAL_MS) await flush();
  }
  if (rows.length > 0) await flush();
  await send({ kind: 'end', truncated });
}
