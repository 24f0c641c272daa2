import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Session, Sessions } from '../../../electron/engine/sessions.ts';

const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
const caller = { signal: new AbortController().signal };
let folder: string;
let sessions: Sessions;
let session: Session;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remora-list-'));
  sessions = new Sessions(folder);
  session = await sessions.open({ paths: [sample] });
});
afterAll(() => {
  sessions.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

describe('the event list', () => {
  it('pages are parts of one list, up to its last row', async () => {
    const whole = await session.rows.page('', 1000, 300, caller);
    const part = await session.rows.page('', 1100, 10, caller);
    expect(part.rows).toEqual(whole.rows.slice(100, 110));
    const end = await session.rows.page('', whole.total - 3, 100, caller);
    expect(end.rows.map(({ row }) => row)).toEqual([whole.total - 3, whole.total - 2, whole.total - 1]);
    expect((await session.rows.page('', whole.total, 10, caller)).rows).toEqual([]);
    const times = whole.rows.map(({ timeNs }) => timeNs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('a row is found by its event and by its time', async () => {
    const { rows } = await session.rows.page('', 5000, 50, caller);
    for (const row of rows) {
      const { stream, cpu, index } = row;
      expect((await session.rows.find('', { event: { stream, cpu, index } }, caller)).row).toBe(row.row);
      const first = await session.rows.find('', { timeNs: row.timeNs }, caller);
      expect(first.row).toBeLessThanOrEqual(row.row);
      expect((await session.rows.page('', first.row, 1, caller)).rows[0]?.timeNs).toBe(row.timeNs);
    }
  });

  it('a filtered list holds what the filter lets pass of the whole, in its order', async () => {
    const filter = 'balance_dirty_pages: pause > 0 && bdi == "btrfs-1"';
    const { total, rows } = await session.rows.page(filter, 0, 1000, caller);
    expect(total).toBe(117);
    expect(rows.length).toBe(total);
    expect(new Set(rows.map(({ eventName }) => eventName))).toEqual(new Set(['balance_dirty_pages']));
    for (const { info } of rows) expect(info).toMatch(/^bdi btrfs-1: .* pause=[1-9]/);
    const third = rows[2];
    const found = await session.rows.find(filter, { event: third as NonNullable<typeof third> }, caller);
    expect(found).toEqual({ row: 2, timeNs: third?.timeNs, total });
  });

  it('text of the Info column can be asked for, virtual fields too', async () => {
    const text = await session.rows.page('info ~ "*bdi btrfs-1: *" && event == "balance_dirty_pages"', 0, 1, caller);
    const field = await session.rows.page('balance_dirty_pages: bdi == "btrfs-1"', 0, 1, caller);
    expect(text.total).toBe(field.total);
    expect((await session.rows.page('cgroup == "backup"', 0, 1, caller)).total).toBeGreaterThan(0);
  });

  it('pages that are asked for before the scan ends are the beginning of the final list', async () => {
    const filter = 'info ~ "*pause=*" && sched_switch != 1';
    const early = await session.rows.page(filter, 0, 5, caller, true);
    const pages = [early];
    for (let page = early; page.scan !== null; pages.push(page))
      page = await session.rows.page(filter, 0, 5000, caller, true);
    const all = await session.rows.page(filter, 0, 5000, caller);
    expect(all.scan).toBeNull();
    for (const page of pages) expect(page.rows).toEqual(all.rows.slice(0, page.rows.length));
    expect(pages.map(({ total }) => total)).toEqual(pages.map(({ total }) => total).sort((a, b) => a - b));
  });

  it('a caller that goes does not end the scan of another', async () => {
    const filter = 'info ~ "*a*" && common_pid > 0';
    const controller = new AbortController();
    const first = session.rows.page(filter, 0, 1, { signal: controller.signal });
    const second = session.rows.page(filter, 0, 1, caller);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect((await second).total).toBeGreaterThan(0);
  });

  it('a filter that does not parse says where', async () => {
    await expect(session.rows.page('pause >', 0, 1, caller)).rejects.toMatchObject({
      code: 'bad-expression',
      detail: { position: 7 },
    });
  });

  it('density with a filter counts the same events as the list', async () => {
    const filter = 'balance_dirty_pages: pause > 0';
    const { total } = await session.rows.page(filter, 0, 1, caller);
    const { durationNs } = session.summary;
    const lanes = session.lanes.window(0, durationNs + 1, 2 ** 24, await session.rows.filtered(filter, caller));
    const counted = lanes.lanes.reduce((sum, { density }) => sum + density.reduce((a, b) => a + b, 0), 0);
    expect(counted).toBe(total);
  });

  it('density of any level counts every event once', () => {
    const { durationNs, events } = session.summary;
    for (const resolution of [2 ** 30, 2 ** 24, 2 ** 20, 2 ** 16, 3_333_333]) {
      const { lanes } = session.lanes.window(0, durationNs + 1, resolution);
      expect(lanes.reduce((sum, { density }) => sum + density.reduce((a, b) => a + b, 0), 0)).toBe(events);
    }
  });
});

describe('series', () => {
  const spec = {
    expr: 'writeback:balance_dirty_pages.dirty',
    groupBy: 'cgroup',
    where: '',
    aggregate: 'last',
    style: 'step',
    axis: 'left',
    unit: '',
  } as const;

  it('a window in levels says what the same window says in bins of its own', async () => {
    const binNs = 2 ** 26;
    const window = [binNs * 30, binNs * 130] as const;
    const leveled = await session.series.window({ ...spec }, ...window, 100, 'bins');
    const raw = await session.series.window({ ...spec }, ...window, 100, 'raw');
    expect(leveled.lines.map(({ group }) => group)).toEqual(['backup', 'web', 'db']);
    for (const [i, line] of leveled.lines.entries()) {
      const samples = raw.lines[i];
      if (line.mode !== 'bins' || samples?.mode !== 'raw') throw new Error('modes');
      const inside = [...samples.tNs].flatMap((t, k) =>
        t >= window[0] && t <= window[1] ? [samples.value[k] as number] : [],
      );
      expect(line.count.reduce((a, b) => a + b, 0)).toBe(inside.length);
      expect(Math.max(...line.max)).toBe(Math.max(...inside));
      expect(Math.min(...line.min)).toBe(Math.min(...inside));
    }
  });

  it('values convert to another unit of the same dimension', async () => {
    const pages = await session.series.window({ ...spec }, 0, session.summary.durationNs, 10, 'raw');
    const mib = await session.series.window({ ...spec, unit: 'MiB' }, 0, session.summary.durationNs, 10, 'raw');
    expect([pages.unit, mib.unit]).toEqual(['pages', 'MiB']);
    const [a, b] = [pages.lines[0], mib.lines[0]];
    if (a?.mode !== 'raw' || b?.mode !== 'raw') throw new Error('modes');
    expect(b.value[0]).toBeCloseTo(((a.value[0] as number) * 4096) / 2 ** 20, 9);
  });

  it('where leaves samples out before delta sees them', async () => {
    const expr = 'delta(writeback:balance_dirty_pages.dirtied)';
    const filtered = { ...spec, groupBy: '', where: 'bdi == "btrfs-1"' };
    const ask = async (own: string) =>
      (await session.series.window({ ...filtered, expr: own }, 0, session.summary.durationNs, 10, 'raw')).lines[0];
    const [deltas, values] = [await ask(expr), await ask('writeback:balance_dirty_pages.dirtied')];
    if (deltas?.mode !== 'raw' || values?.mode !== 'raw') throw new Error('modes');
    const expected = [...values.value].slice(1).map((value, i) => value - (values.value[i] as number));
    expect([...deltas.value]).toEqual(expected);
  });

  it.each([
    ['writeback:balance_dirty_pages.nothing', /nothing/],
    ['no_such_event.field', /no no_such_event event/],
    ['writeback:balance_dirty_pages.dirty +', /expected/],
  ])('%s is refused in words', async (expr, message) => {
    await expect(session.series.window({ ...spec, expr }, 0, 1e9, 10, 'auto')).rejects.toThrow(message);
  });
});
