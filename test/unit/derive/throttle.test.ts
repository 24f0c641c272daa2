import { describe, expect, it } from 'vitest';
import { nameNumbers } from '../../../electron/derive/throttle-columns.ts';
import { totalEpisodes } from '../../../electron/derive/throttle-totals.ts';
import { columnsOf, derive, draw, globalStates, switchesOf } from './drawing.ts';

const episodesOf = (drawing: string, gapMs = 30) => derive(columnsOf(drawing), {}, { gapMs }).episodes;

describe('an episode', () => {
  it('runs from the first pause to the end of the last', () => {
    const episodes = episodesOf('dd-1 web 8:0 | .P==  P= . .    |');
    expect(draw(episodes)).toEqual(['dd-1 web 8:0 |  #######|']);
    expect(episodes[0]).toMatchObject({
      id: 0,
      stream: 0,
      events: 2,
      pauses: 2,
      pauseMs: 50,
      maxPauseMs: 30,
      sleptMs: null,
    });
  });
  it('ends where the gap after the end of an event is too long', () => {
    expect(draw(episodesOf('dd-1 web 8:0 |P==   P    P|'))).toEqual([
      'dd-1 web 8:0 |#######|',
      'dd-1 web 8:0 |           #|',
    ]);
    expect(draw(episodesOf('dd-1 web 8:0 |P==   P    P|', 40))).toEqual(['dd-1 web 8:0 |############|']);
  });
  it('is held together by events without a pause', () => {
    const episodes = episodesOf('dd-1 web 8:0 |P  . -  .  P|');
    expect(draw(episodes)).toEqual(['dd-1 web 8:0 |############|']);
    expect(episodes[0]).toMatchObject({ events: 5, pauses: 2, pauseMs: 20 });
  });
  it('needs a pause', () => expect(episodesOf('dd-1 web 8:0 | . . - . |')).toEqual([]));
  it('is of one task, cgroup and device', () => {
    const drawing = `
      dd-1 web 8:0 |P= P= P=      |
      dd-2 web 8:0 | P= P= P=     |
      dd-1 db  8:0 |  P     P     |
      dd-1 web 8:1 |         P    |`;
    expect(draw(episodesOf(drawing))).toEqual([
      'dd-1 web 8:0 |########|',
      'dd-2 web 8:0 | ########|',
      'dd-1 db 8:0 |  #|',
      'dd-1 db 8:0 |        #|',
      'dd-1 web 8:1 |         #|',
    ]);
  });
  it('lasts as long as a pause inside of another one of an asynchronous writer', () => {
    expect(draw(episodesOf('dd-1 web 8:0 |P========|\n dd-1 web 8:0 |  .        P|'))).toEqual([
      'dd-1 web 8:0 |############|',
    ]);
  });
  it('has ids that go on from those of other streams', () => {
    const { episodes } = derive(columnsOf('dd-1 web 8:0 |P       P|'), { stream: 3 }, { gapMs: 10, firstId: 7 });
    expect(episodes.map(({ id, stream }) => [id, stream])).toEqual([
      [7, 3],
      [8, 3],
    ]);
  });
  it('keeps a second apart by default', () => {
    const gap = (steps: number) => derive(columnsOf(`dd-1 web 8:0 |P${' '.repeat(steps)}P|`)).episodes.length;
    expect([gap(100), gap(101)]).toEqual([1, 2]);
  });
  it('carries the worst rates and ratios of its events, those without a pause included', () => {
    const events = columnsOf('dd-1 web 8:0 |P.P|', { dirty: [50, 90, 60], limit: 100, taskRatelimit: [30, 20, 40] });
    expect(derive(events).episodes[0]).toMatchObject({ maxDirtyOverLimit: 0.9, minTaskRatelimitKiBps: 20 });
  });
  it('is found where the format has no cgroup field', () => {
    const { cgroup: _, ...events } = columnsOf('dd-1 web 8:0 |P=|');
    expect(
      derive(events, { cgroupAt: (value) => ({ ino: '', path: value === '' ? '/' : value }) }).episodes[0].cgroup.path,
    ).toBe('/');
  });
  it('takes no events at all', () => expect(derive(columnsOf(''))).toEqual({ episodes: [], findings: [] }));
});

describe('impossible values', () => {
  const odd = (pause: number, think = 0) => {
    const events = columnsOf('dd-1 web 8:0 |P .  P|', { think: [0, think, 0] });
    events.pause[1] = pause;
    return derive(events);
  };
  it('keeps a pause that wrapped around out of the sums and says so', () => {
    for (const pause of [4294824915, -4294824915, 2 ** 64 - 2 ** 32, 20_000]) {
      const { episodes, findings } = odd(pause);
      expect(episodes).toMatchObject([{ pauses: 2, pauseMs: 20 }]);
      expect(findings).toMatchObject([{ kind: 'impossible-pause', atNs: 20e6 }]);
    }
    expect(odd(-4294824915).findings[0].message).toMatch(
      /In one event of cgroup web pause is impossible \(first -4294824915 ms/,
    );
  });
  it('finds impossible think times', () => {
    expect(odd(0, 4294824917).findings).toMatchObject([{ kind: 'impossible-think' }]);
    expect(odd(0, -984).findings).toEqual([]);
  });
  it('takes a long negative pause as it is: a task that came back after a minute', () => {
    expect(odd(-60_000).findings).toEqual([]);
  });
  it('finds a count of dirty pages below zero', () => {
    const events = columnsOf('dd-1 web 8:0 |P P P|', {
      dirty: [10, 2 ** 64, 12],
      limit: 100,
      setpoint: 80,
    });
    const { episodes, findings } = derive(events);
    expect(episodes).toMatchObject([{ domain: 'underflow', maxDirtyOverLimit: 0.12, pauses: 3 }]);
    expect(episodes[0].cause).toMatch(/went below zero/);
    expect(findings).toMatchObject([{ kind: 'dirty-underflow', atNs: 20e6 }]);
    expect(findings[0].message).toMatch(/18\.45e18 pages, just below 2\^64/);
  });
  it('reports a kind once per cgroup, with the number of events', () => {
    const drawing = 'dd-1 web 8:0 |PPP|\ndd-2 db 8:0 |P|';
    const { findings } = derive(columnsOf(drawing, { dirty: 2 ** 64 }));
    expect(findings.map(({ message }) => message.slice(0, 28))).toEqual([
      'In 3 events of cgroup web di',
      'In one event of cgroup db di',
    ]);
  });
});

describe('verified sleep', () => {
  const slept = (writes: string, runs: string) =>
    derive(columnsOf(`dd-1 web 8:0 |${writes}|`), { switches: switchesOf(`dd-1 |${runs}|`) }, { gapMs: 200 });
  it('is what sched_switch shows', () => {
    expect(slept('P=  P=      ', 'DDD#DD##DD##').episodes).toMatchObject([{ pauseMs: 40, sleptMs: 50 }]);
  });
  it('leaves preemption before it and other sleeps behind it out', () => {
    expect(slept('P===     .   ', 'r#DDD##DD####').episodes[0].sleptMs).toBe(30);
    expect(slept('P==     P   ', '#######rrr##').episodes[0].sleptMs).toBe(0);
  });
  it('belongs to the last pause before it', () => {
    expect(slept('P= P=   ', '###DD###').episodes[0].sleptMs).toBe(20);
  });
  it('is not a later, shorter one; but the pause itself may start late', () => {
    expect(slept('P======     ', '###D#S######').episodes[0].sleptMs).toBe(0);
    expect(slept('P======     ', '###DDDDDD###').episodes[0].sleptMs).toBe(60);
  });
  it('is not known of a task that has no switches', () => {
    const { episodes } = derive(columnsOf('dd-2 web 8:0 |P=|'), { switches: switchesOf('dd-1 |DD##|') });
    expect(episodes[0].sleptMs).toBeNull();
  });
  it('lasts to the end of the pause where the recording ends before', () => {
    expect(slept('P=====', 'DDD').episodes[0].sleptMs).toBeCloseTo(30, 1);
  });
  it('is not known where the recording of switches ended before', () => {
    expect(slept('        P=    ', 'DD#').episodes[0].sleptMs).toBeNull();
  });
  it('shows asynchronous writers, who do not sleep', () => {
    const { episodes, findings } = slept('P= P= P=  ', '####r#####');
    expect(episodes).toMatchObject([{ domain: 'async', pauseMs: 60, sleptMs: 0 }]);
    expect(episodes[0].cause).toMatch(/never slept: writes that do not wait/);
    expect(findings).toMatchObject([{ kind: 'async-pauses', atNs: 0 }]);
    expect(findings[0].message).toMatch(/^3 pauses in 1 episode were asked for but not slept/);
  });
  it('does not take their wait for completions for it', () => {
    expect(slept('P=  P=  ', 'SSS#SSS#').episodes).toMatchObject([{ domain: 'async', sleptMs: 0 }]);
  });
  it('does not take a task that was killed for one of them', () => {
    expect(slept('P=    ', 'ZZZZZZ').episodes).toMatchObject([{ domain: 'unknown', sleptMs: null }]);
    expect(slept('P=  P=   ', 'SS##ZZZZZ').episodes).toMatchObject([{ domain: 'unknown', sleptMs: 0 }]);
  });
});

describe('which limit it was', () => {
  const web = 'dd-1 99 8:0 |P= P= P=|';
  const root = 'dd-1 1 8:0 |P= P= P=|';
  const verdict = (
    drawing: string,
    fields: Parameters<typeof columnsOf>[1],
    state?: [number, number, number],
    own = false,
  ) => {
    const events = columnsOf(drawing, fields, own);
    return derive(events, { globalState: state && globalStates(events, ...state) }).episodes[0];
  };
  // freerun = 2 · setpoint − limit
  it('is the cgroup’s where its freerun is not the global one, though limit is', () => {
    const episode = verdict(
      web,
      { limit: 19869, setpoint: 11753, dirty: 4172, taskRatelimit: 25600 },
      [4170, 9903, 19830],
    );
    expect(episode.domain).toBe('memcg');
    expect(episode.cause).toBe(
      'dd writing to 8:0 was paused 3 times, 60 ms in all, by the limit of cgroup inode 99: up to 4172 pages dirty, above the ' +
        '3637 pages below which nobody is paused in it, while the whole machine had 4170 pages, 21 % of its threshold; at worst it ' +
        'could write 25 MiB/s.',
    );
  });
  it('is the cgroup’s where far more is dirty elsewhere', () => {
    expect(verdict(web, { dirty: 500 }, [9000, 5000, 10000]).domain).toBe('memcg');
    expect(verdict(web, { limit: 1000, setpoint: 875, dirty: 800 }, [9000, 5000, 10000], true).domain).toBe('memcg');
  });
  it('is the machine’s where both agree', () => {
    const episode = verdict(
      web,
      { limit: 20000, setpoint: 17500, dirty: 17000, taskRatelimit: 0 },
      [17010, 10000, 20000],
    );
    expect(episode.domain).toBe('global');
    expect(episode.cause).toMatch(
      /by the limit of the whole machine: up to 17000 pages dirty, 85 % of the limit of 20000 pages/,
    );
    expect(episode.cause).toMatch(/stopped altogether/);
  });
  it('is the machine’s where there is no cgroup', () => {
    for (const cgroup of ['1', '4294967295', '/']) {
      const drawing = root.replace('dd-1 1', `dd-1 ${cgroup}`);
      expect(verdict(drawing, { limit: 20000, setpoint: 17500, dirty: 17000 }).domain).toBe('global');
    }
  });
  it('is the device’s own where the domain is far below its freerun', () => {
    const episode = verdict(root, {
      limit: 295073,
      setpoint: 259360,
      dirty: 454,
      wbDirty: 32,
      wbSetpoint: 0,
      taskRatelimit: 0,
    });
    expect(episode.domain).toBe('strictlimit');
    expect(episode.cause).toMatch(
      /strict limit\): up to 32 pages dirty on it against a setpoint of 0 pages, while only 0\.15 % of/,
    );
  });
  it('is the cgroup’s, by the freerun alone, where global_dirty_state was not recorded', () => {
    expect(verdict(web, { limit: 19869, setpoint: 11753, dirty: 4172 }).domain).toBe('memcg');
    expect(verdict(web, { limit: 19869, setpoint: 17000, dirty: 15000 }).domain).toBe('unknown');
    expect(verdict(web, { limit: 19869, setpoint: 11753, dirty: 4172 }, undefined, true).domain).toBe('unknown');
  });
  it('takes the verdict that most of the pause stands for', () => {
    const events = columnsOf('dd-1 99 8:0 |P   P=  P= |', {
      limit: 19869,
      setpoint: [17000, 11753, 11753],
      dirty: [15000, 4172, 4172],
    });
    const globalState = globalStates(columnsOf('dd-1 99 8:0 |P|'), 15000, 9903, 18400);
    expect(derive(events, { globalState }).episodes[0].domain).toBe('memcg');
  });
  it('does not use another task’s or an old global state', () => {
    const events = columnsOf(web, { dirty: 500 });
    const states = globalStates(events, 9000, 5000, 10000);
    expect(derive(events, { globalState: { ...states, pid: states.timeNs.map(() => 2) } }).episodes[0].domain).toBe(
      'unknown',
    );
    const old = { ...states, timeNs: states.timeNs.map((time) => time - 50e6) };
    expect(derive(columnsOf('dd-1 99 8:0 |P|', { dirty: 500 }), { globalState: old }).episodes[0].domain).toBe(
      'unknown',
    );
  });
});

describe('totals', () => {
  const drawing = `
      dd-1 web 8:0 |P= P=       P= |
      dd-2 web 8:0 |   P==         |
      dd-3 db  8:1 |       P=======|`;
  const totals = (by: 'cgroup' | 'task' | 'bdi' | 'none') => totalEpisodes(episodesOf(drawing), by);
  it('are per cgroup, with the union of the time', () => {
    expect(totals('cgroup')).toEqual([
      { key: 'web', episodes: 3, tasks: 2, pauses: 4, pauseMs: 90, wallMs: 80, longestMs: 50 },
      { key: 'db', episodes: 1, tasks: 1, pauses: 1, pauseMs: 80, wallMs: 80, longestMs: 80 },
    ]);
  });
  it('are per task, device, or over all', () => {
    expect(totals('task').map(({ key, pauseMs }) => [key, pauseMs])).toEqual([
      ['dd-3', 80],
      ['dd-1', 60],
      ['dd-2', 30],
    ]);
    expect(totals('bdi').map(({ key, wallMs }) => [key, wallMs])).toEqual([
      ['8:0', 80],
      ['8:1', 80],
    ]);
    expect(totals('none')).toEqual([
      { key: '', episodes: 4, tasks: 3, pauses: 5, pauseMs: 170, wallMs: 140, longestMs: 80 },
    ]);
    expect(totalEpisodes([], 'none')).toEqual([]);
  });
});

describe('inode columns', () => {
  it('become few names', () => {
    const column = nameNumbers([99, 99, 1, 99, 4294967295, 2 ** 40 + 99]);
    expect(column.names).toEqual(['99', '1', '4294967295', '1099511627875']);
    expect([...(column.index as Uint32Array)]).toEqual([0, 0, 1, 0, 2, 3]);
  });
});
