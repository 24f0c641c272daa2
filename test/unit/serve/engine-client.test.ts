import { beforeEach, describe, expect, it } from 'vitest';
import type { Notice, Progress, ToEngine } from '../../../shared/api.ts';
import { EngineClient } from '../../../shared/engine-client.ts';

let sent: ToEngine[];
let client: EngineClient;

beforeEach(() => {
  sent = [];
  client = new EngineClient((message) => sent.push(message));
});

describe('EngineClient', () => {
  it('resolves with the result of its own request, in any order', async () => {
    const first = client.call('getView', { workspaceId: 'w', name: 'a' });
    const second = client.call('getView', { workspaceId: 'w', name: 'b' });
    const [one, two] = sent.map(({ id }) => id);
    expect(sent[0]).toEqual({ kind: 'request', id: one, method: 'getView', params: { workspaceId: 'w', name: 'a' } });
    client.receive({ kind: 'result', id: two as number, result: { json: 'b' } });
    client.receive({ kind: 'result', id: one as number, result: { json: 'a' } });
    expect([await first, await second]).toEqual([{ json: 'a' }, { json: 'b' }]);
  });

  it('rejects with a RemoraError that has the whole detail', async () => {
    const call = client.call('hello', {});
    const error = { code: 'damaged', message: 'cut', file: '/a.dat', offset: 12, section: 'options' } as const;
    client.receive({ kind: 'error', id: sent[0]?.id as number, error });
    await expect(call).rejects.toMatchObject({ name: 'RemoraError', detail: error });
  });

  it('reports progress to the call that it belongs to', async () => {
    const seen: Progress[] = [];
    const call = client.call('hello', {}, { onProgress: (progress) => seen.push(progress) });
    const progress: Progress = { stage: 'Indexing', done: 1, total: 2, unit: 'bytes' };
    const id = sent[0]?.id as number;
    client.receive({ kind: 'progress', id, progress });
    client.receive({ kind: 'progress', id: id + 1, progress });
    client.receive({ kind: 'result', id, result: {} });
    await call;
    client.receive({ kind: 'progress', id, progress });
    expect(seen).toEqual([progress]);
  });

  it('cancels at once when aborted, and drops the late answer', async () => {
    const abort = new AbortController();
    const call = client.call('hello', {}, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    const id = sent[0]?.id as number;
    expect(sent[1]).toEqual({ kind: 'cancel', id });
    client.receive({ kind: 'result', id, result: {} });
  });

  it('asks nothing when it is aborted already, and cancels nothing that has ended', async () => {
    const abort = new AbortController();
    const call = client.call('hello', {}, { signal: abort.signal });
    client.receive({ kind: 'result', id: sent[0]?.id as number, result: {} });
    await call;
    abort.abort();
    await expect(client.call('hello', {}, { signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent.length).toBe(1);
  });

  it('fails what is running and what follows once the channel has ended', async () => {
    const call = client.call('hello', {});
    client.disconnect('it ended');
    await expect(call).rejects.toMatchObject({ code: 'engine-gone', message: 'it ended' });
    await expect(client.call('hello', {})).rejects.toMatchObject({ code: 'engine-gone' });
  });

  it('goes on over another channel, without mixing up the two', async () => {
    const before = client.call('hello', {});
    const anew: ToEngine[] = [];
    client.reconnect((message) => anew.push(message), 'it was replaced');
    await expect(before).rejects.toMatchObject({ code: 'engine-gone', message: 'it was replaced' });
    const call = client.call('hello', {});
    client.receive({ kind: 'result', id: sent[0]?.id as number, result: 'stale' });
    client.receive({ kind: 'result', id: anew[0]?.id as number, result: 'fresh' });
    expect(await call).toBe('fresh');
  });

  it('tells notices until the listener goes', () => {
    const heard: Notice[] = [];
    const stop = client.onNotice((notice) => heard.push(notice));
    const notice: Notice = { kind: 'command', command: 'file.open' };
    client.receive({ kind: 'notice', notice });
    stop();
    client.receive({ kind: 'notice', notice });
    expect(heard).toEqual([notice]);
  });
});
