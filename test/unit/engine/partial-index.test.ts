import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Session, Sessions } from '../../../electron/engine/sessions.ts';
import type { StoredAnnotation } from '../../../electron/store/workspace-store.ts';
import { WorkspaceStore } from '../../../electron/store/workspace-store.ts';
import type { Progress } from '../../../shared/api.ts';
import { writeLargeRecording, writeLargeText } from '../../build/large.ts';

/** Indexing that is stopped in the middle: what is there can be looked at and says that it is a part; the rest follows, or is redone. */

/** Some four slabs. */
const EVENTS = 4_000_000;
const folder = mkdtempSync(join(tmpdir(), 'remora-partial-'));
const first = join(folder, 'first.dat');
const second = join(folder, 'second.dat');
const text = join(folder, 'trace.txt');
/** Some three batches of a text. */
const LINES = 150_000;
let total = 0;
let caches = 0;
let sessions: Sessions;

beforeAll(() => {
  total = writeLargeRecording(first, EVENTS);
  writeLargeRecording(second, EVENTS);
  writeLargeText(text, LINES);
});
beforeEach(() => {
  sessions?.closeAll();
  sessions = new Sessions(join(folder, `cache${caches++}`));
});
afterAll(() => {
  sessions.closeAll();
  rmSync(folder, { recursive: true });
});

/** Opens, and stops as soon as there is something. */
function openPart(paths: string[], of = sessions): Promise<Session> {
  const stop = new AbortController();
  return of.open({ paths, threads: 1, stop: stop.signal, onProgress: ({ stoppable }) => stoppable && stop.abort() });
}

/** Stops with the first step. */
function stopAtOnce(): { stop: AbortSignal; onProgress(): void } {
  const stop = new AbortController();
  return { stop: stop.signal, onProgress: () => stop.abort() };
}

const note: StoredAnnotation = {
  id: 'n1',
  kind: 'point',
  fromAbs: '1000000500',
  toAbs: '1000000500',
  text: 'made of a part',
  color: '',
  tags: [],
};

async function allRows({ rows, summary }: Session): Promise<number> {
  const signal = new AbortController().signal;
  const { total: found } = await rows.page('', summary.events - 1, 10, { signal }, false);
  return found;
}

/** Without what differs from opening to opening. */
const comparable = ({ summary }: Session) => ({ ...summary, workspaceId: '', workspacePath: '', reopened: false });

describe('indexing that is stopped', () => {
  it('leaves a part that says how much it is, and goes on from there to the same whole', async () => {
    const part = await openPart([first]);
    const { partial, events, eventTypes, tasks, streams } = part.summary;
    expect(partial?.totalBytes).toBeGreaterThan(3 * (partial?.bytes ?? 0));
    expect(partial?.cpus).toEqual([{ stream: 0, cpu: 0, bytes: partial?.bytes, totalBytes: partial?.totalBytes }]);
    expect(events).toBeGreaterThan(0);
    expect(events).toBeLessThan(total / 2);
    // Every total is of the part.
    expect(eventTypes.map(({ count }) => count)).toEqual([events]);
    expect(tasks.reduce((sum, task) => sum + task.events, 0)).toBe(events);
    expect(streams[0]?.toNs).toBe((events - 1) * 1000);
    expect(await allRows(part)).toBe(events);

    const steps: number[] = [];
    const whole = await sessions.indexRest(part.id, { threads: 1, onProgress: ({ done }) => steps.push(done) });
    expect(steps[0]).toBeGreaterThan(partial?.bytes ?? 0);
    expect(whole.id).toBe(part.id);
    expect(sessions.get(part.id)).toBe(whole);
    expect(whole.summary.partial).toBeUndefined();
    expect(await allRows(whole)).toBe(total);
    const fresh = new Sessions(join(folder, `cache${caches++}`));
    expect(comparable(whole)).toEqual(comparable(await fresh.open({ paths: [first] })));
    fresh.closeAll();
    // It is kept.
    sessions.close(whole.id);
    expect((await sessions.open({ paths: [first] })).summary.reopened).toBe(true);
  });

  it('is of all recordings that are opened together', async () => {
    const part = await openPart([first, second]);
    expect(part.summary.partial?.cpus.map(({ stream, bytes }) => [stream, bytes > 0])).toEqual([
      [0, true],
      [1, false],
    ]);
    expect(await allRows(part)).toBe(part.summary.events);
    const whole = await sessions.indexRest(part.id, { threads: 1 });
    expect(whole.summary.events).toBe(2 * total);
    expect(await allRows(whole)).toBe(2 * total);
  });

  it('of several, one of which is complete, is of both', async () => {
    let steps = 0;
    const stop = new AbortController();
    const onProgress = ({ stoppable, done, total: all }: Progress): void => {
      expect(stoppable).toBe(true);
      if (done === all && steps++ === 0) stop.abort();
    };
    const part = await sessions.open({ paths: [first, second], threads: 1, stop: stop.signal, onProgress });
    const { partial, events } = part.summary;
    expect(events).toBe(total);
    expect(partial?.cpus.map(({ bytes, totalBytes }) => bytes / totalBytes)).toEqual([1, 0]);
    expect((partial?.bytes ?? 0) * 2).toBe(partial?.totalBytes);
    expect((await sessions.indexRest(part.id, { threads: 1 })).summary.events).toBe(2 * total);
  });

  it('of a text is its beginning, on all CPUs', async () => {
    const part = await openPart([text]);
    const { partial, events, tasks, streams } = part.summary;
    expect(partial?.cpus).toEqual([{ stream: 0, cpu: null, bytes: partial?.bytes, totalBytes: partial?.totalBytes }]);
    expect(partial?.bytes).toBeLessThan((partial?.totalBytes ?? 0) / 2);
    expect(events).toBeGreaterThan(10_000);
    expect(tasks.map((task) => task.events)).toEqual([events]);
    expect(streams[0]?.cpus).toEqual([0, 1]);
    expect(streams[0]?.toNs).toBe((events - 1) * 1000);
    expect(await allRows(part)).toBe(events);
    // Once more, in the middle of the rest.
    const more = await sessions.indexRest(part.id, stopAtOnce());
    expect(more.summary.events).toBeGreaterThan(events);
    expect(more.summary.events).toBeLessThan(LINES);
    const whole = await sessions.indexRest(part.id, {});
    expect(await allRows(whole)).toBe(LINES);
    const { rows } = await whole.rows.page('', 0, 20, { signal: new AbortController().signal }, false);
    expect(rows.map(({ info }) => info)).toEqual(Array.from({ length: 20 }, (_, i) => `n=${i} of many`));
    const fresh = new Sessions(join(folder, `cache${caches++}`));
    expect(comparable(whole)).toEqual(comparable(await fresh.open({ paths: [text] })));
    fresh.closeAll();
  });

  it('of a text and a recording behind it keeps the text', async () => {
    const part = await openPart([text, first]);
    expect(part.summary.partial?.cpus.map(({ cpu, bytes }) => [cpu, bytes > 0])).toEqual([
      [null, true],
      [0, false],
    ]);
    expect((await sessions.indexRest(part.id, { threads: 1 })).summary.events).toBe(LINES + total);
  });

  it('is nothing at all while a text is read for what it has', async () => {
    const stop = new AbortController();
    const opening = sessions.open({
      paths: [text],
      stop: stop.signal,
      onProgress: ({ stage }) => stage === 'Reading' && stop.abort(),
    });
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect((await sessions.open({ paths: [text] })).summary.events).toBe(LINES);
  });

  it('can be stopped again: a larger part takes its place', async () => {
    const part = await openPart([first]);
    const more = await sessions.indexRest(part.id, { threads: 1, ...stopAtOnce() });
    expect(more.id).toBe(part.id);
    expect(sessions.get(part.id)).toBe(more);
    expect(more.summary.partial?.bytes).toBeGreaterThan(part.summary.partial?.bytes ?? 0);
    expect(more.summary.partial?.bytes).toBeLessThan(more.summary.partial?.totalBytes ?? 0);
    expect(await allRows(more)).toBe(more.summary.events);
    expect((await sessions.indexRest(part.id, { threads: 1 })).summary.events).toBe(total);
  });

  it('closes behind what indexes the rest, and can be opened at once', async () => {
    const part = await openPart([first]);
    let again: Promise<Session> | undefined;
    const rest = sessions.indexRest(part.id, {
      threads: 1,
      onProgress() {
        if (again !== undefined) return;
        sessions.close(part.id);
        again = openPart([first]);
      },
    });
    await expect(rest).rejects.toMatchObject({ code: 'cancelled' });
    const opened = await again;
    expect(opened?.id).not.toBe(part.id);
    expect(opened?.summary.partial).toBeDefined();
  });

  it('can be cancelled again and again on its way', async () => {
    const part = await openPart([first]);
    for (let turn = 0; turn < 2; turn++) {
      const cancel = new AbortController();
      const rest = sessions.indexRest(part.id, {
        threads: 1,
        signal: cancel.signal,
        onProgress: () => cancel.abort(),
      });
      await expect(rest).rejects.toMatchObject({ code: 'cancelled' });
      expect(sessions.get(part.id)).toBe(part);
      expect(await allRows(part)).toBe(part.summary.events);
    }
    expect((await sessions.indexRest(part.id, { threads: 1 })).summary.events).toBe(total);
  });

  it('keeps others away, and is shared by whoever opens the same here', async () => {
    const part = await openPart([first]);
    const path = part.summary.workspacePath;
    expect(() => new WorkspaceStore(path).close()).toThrow(/in use by another process/);
    expect(await sessions.open({ paths: [first] })).toBe(part);
    sessions.close(part.id);
    expect(sessions.get(part.id)).toBe(part);
    sessions.close(part.id);
    expect(() => sessions.get(part.id)).toThrow(/not open/);
  });

  it('is redone when it was closed, with the notes that were made', async () => {
    const part = await openPart([first]);
    part.notes.put(note);
    sessions.close(part.id);
    const whole = await sessions.open({ paths: [first] });
    expect(whole.summary).toMatchObject({ reopened: false, events: total });
    expect(whole.summary.partial).toBeUndefined();
    expect(whole.notes.all()).toEqual([note]);
  });

  it('takes back notes that a killed process had made, beside older ones', async () => {
    const whole = await sessions.open({ paths: [first] });
    const path = whole.summary.workspacePath;
    whole.notes.put({ ...note, id: 'n0' });
    whole.notes.put(note);
    sessions.close(whole.id);
    // What a kill leaves: the import is not complete, and the last note went with its transaction.
    const store = new WorkspaceStore(path);
    store.deleteAnnotation(note.id);
    store.beginImport(first, 'killed').pause(new Map());
    store.putView('x', '{}');
    store.close();
    const killed = new WorkspaceStore(path);
    killed.beginImport(first, 'killed');
    killed.close();
    const again = await sessions.open({ paths: [first] });
    expect(again.notes.all().map(({ id }) => id)).toEqual(['n0', 'n1']);
  });

  it('is nothing at all where nothing was indexed yet', async () => {
    const stop = AbortSignal.abort();
    await expect(sessions.open({ paths: [first], stop })).rejects.toMatchObject({ code: 'cancelled' });
    expect((await sessions.open({ paths: [first] })).summary.events).toBe(total);
  });
});
