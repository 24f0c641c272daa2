import { beforeEach, describe, expect, it } from 'vitest';
import { type EngineSeat, SharedEngine } from '../../../electron/engine/sharing.ts';
import type { FromEngine, Method, ToEngine } from '../../../shared/api.ts';

/** Two clients of one engine, with everything that passes written down. */
let sent: ToEngine[];
let heard: { a: FromEngine[]; b: FromEngine[] };
let engine: SharedEngine;
let a: EngineSeat;
let b: EngineSeat;

beforeEach(() => {
  sent = [];
  heard = { a: [], b: [] };
  engine = new SharedEngine((message) => sent.push(message));
  a = engine.join((message) => heard.a.push(message));
  b = engine.join((message) => heard.b.push(message));
});

const request = (id: number, method: Method = 'hello', params: unknown = {}): ToEngine => ({
  kind: 'request',
  id,
  method,
  params,
});
const lastId = (): number => (sent.at(-1) as { id: number }).id;
const opened = (workspaceId: string): FromEngine => ({ kind: 'result', id: lastId(), result: { workspaceId } });

describe('SharedEngine', () => {
  it('keeps equal ids of two clients apart, progress included', () => {
    a.send(request(1));
    const idOfA = lastId();
    b.send(request(1));
    expect(lastId()).not.toBe(idOfA);
    engine.receive({ kind: 'progress', id: idOfA, progress: { stage: 'x', done: 1, total: 2, unit: 'steps' } });
    engine.receive({ kind: 'result', id: lastId(), result: 'b' });
    engine.receive({ kind: 'result', id: idOfA, result: 'a' });
    expect(heard.a.map(({ kind }) => kind)).toEqual(['progress', 'result']);
    expect(heard.b).toEqual([{ kind: 'result', id: 1, result: 'b' }]);
  });

  it('passes an id on again once its request has ended, and refuses it before', () => {
    a.send(request(1));
    const first = lastId();
    a.send(request(1));
    expect(heard.a).toMatchObject([{ kind: 'error', id: 1, error: { code: 'bad-request' } }]);
    expect(sent.length).toBe(1);
    engine.receive({ kind: 'result', id: first, result: 1 });
    a.send(request(1));
    expect(sent.length).toBe(2);
    expect(lastId()).not.toBe(first);
  });

  it('does so also where the answer comes at once', () => {
    const echo: SharedEngine = new SharedEngine((message) =>
      echo.receive({ kind: 'result', id: message.id, result: null }),
    );
    const answers: FromEngine[] = [];
    const seat = echo.join((message) => answers.push(message));
    seat.send(request(1));
    seat.send(request(1));
    expect(answers).toEqual([
      { kind: 'result', id: 1, result: null },
      { kind: 'result', id: 1, result: null },
    ]);
  });

  it('cancels only what the client itself runs', () => {
    a.send(request(1));
    const idOfA = lastId();
    b.send({ kind: 'cancel', id: 1 });
    expect(sent.length).toBe(1);
    a.send({ kind: 'cancel', id: 1 });
    expect(sent.at(-1)).toEqual({ kind: 'cancel', id: idOfA });
  });

  it('tells everybody a notice', () => {
    const notice: FromEngine = { kind: 'notice', notice: { kind: 'engine-restarted', reason: 'x' } };
    engine.receive(notice);
    expect(heard).toEqual({ a: [notice], b: [notice] });
  });

  it('fails what runs when the engine ends', () => {
    a.send(request(3));
    b.send(request(4));
    engine.failAll('it ended');
    expect(heard.a).toEqual([{ kind: 'error', id: 3, error: { code: 'engine-gone', message: 'it ended' } }]);
    expect(heard.b).toEqual([{ kind: 'error', id: 4, error: { code: 'engine-gone', message: 'it ended' } }]);
  });
});

describe('a client that leaves', () => {
  it('has its requests cancelled and hears nothing more', () => {
    a.send(request(1));
    const id = lastId();
    a.leave();
    expect(sent.at(-1)).toEqual({ kind: 'cancel', id });
    engine.receive({ kind: 'result', id, result: 'late' });
    a.send(request(2));
    expect(sent.length).toBe(2);
    expect(heard.a).toEqual([]);
  });

  it('has the workspaces closed that it left open, and no others', () => {
    for (const workspaceId of ['one', 'two', 'two']) {
      a.send(request(1, 'open'));
      engine.receive(opened(workspaceId));
    }
    b.send(request(1, 'open'));
    engine.receive(opened('of b'));
    a.send(request(2, 'close', { workspaceId: 'one' }));
    engine.receive({ kind: 'result', id: lastId(), result: null });
    sent.length = 0;
    a.leave();
    expect(sent.map((message) => message.kind === 'request' && [message.method, message.params])).toEqual([
      ['close', { workspaceId: 'two' }],
      ['close', { workspaceId: 'two' }],
    ]);
  });

  it('has a workspace closed that opens after it left', () => {
    a.send(request(1, 'open'));
    const id = lastId();
    a.leave();
    engine.receive({ kind: 'result', id, result: { workspaceId: 'late' } });
    expect(sent.at(-1)).toMatchObject({ kind: 'request', method: 'close', params: { workspaceId: 'late' } });
  });

  it('closes nothing in an engine that was started anew', () => {
    a.send(request(1, 'open'));
    engine.receive(opened('one'));
    engine.failAll('it ended');
    sent.length = 0;
    a.leave();
    expect(sent).toEqual([]);
  });
});
