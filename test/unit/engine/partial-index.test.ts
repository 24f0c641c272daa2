import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Session, Sessions } from '../../../electron/engine/sessions.ts';
import type { StoredAnnotation } from '../../../electron/store/workspace-store.ts';
import { WorkspaceStore } from '../../../electron/store/workspace-store.ts';
import { writeLargeRecording } from '../../build/large.ts';

/** Indexing that is stopped in the middle: what is there can be looked at and says that it is a part; the rest follows, or is redone. */

/** Some four slabs. */
const EVENTS = 4_000_000;
const folder = mkdtempSync(join(tmpdir(), 'remora-partial-'));
const first = join(folder, 'first.dat');
const second = join(folder, 'second.dat');
let total = 0;
let caches = 0;
let sessions: Sessions;

beforeAll(() => {
  total = writeLargeRecording(first, EVENTS);
  writeLargeRecording(second, EVENTS);
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
