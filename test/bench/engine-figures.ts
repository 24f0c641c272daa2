// What an open recording answers, and how fast, in the engine's own process: node test/bench/engine-figures.ts FILE
// (REMORA_CACHE: where its index is). Prints one JSON document; part of bench.ts.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createEngine } from '../../electron/engine/engine.ts';
import type { CallOptions, Params, Progress } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import type { EventTypeInfo } from '../../shared/model.ts';

export interface EngineFigures {
  events: number;
  workspaceBytes: number;
  /** ms, of random windows that were asked for before. */
  lanesMs: number[];
  seriesMs: number[];
  /** The field that series, filters and SQL are measured with, and how many events have it. */
  field: string;
  fieldEvents: number;
  /** First use of the field, over all of the recording: a first look, and all of it. */
  firstFieldMs: number;
  wholeFieldMs: number;
  /** A filter that names a rare event and tests a field of it; the same of the frequent one. */
  filter: string;
  filterMs: number;
  decodingFilter: string;
  decodingFilterMs: number;
  search: string;
  searchMs: number;
  /** Until the first hit can be shown. */
  firstHitMs: number;
  /** Rows at random places of the whole list and of the filtered one, ms. */
  rowsMs: number[];
  filteredRowsMs: number[];
  sql: string;
  sqlMs: number;
}

const WIDTH_PX = 2000;
const WINDOWS = 60;
const PLACES = 200;

/** Places and widths are the same in every run: a linear congruential generator. */
function randoms(): () => number {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
}

/** A window as the front end asks for it: pixels are rounded to a power of two of ns, and begin at multiples of that. */
function asked(fromNs: number, toNs: number): { fromNs: number; toNs: number; bins: number } {
  const resolutionNs = 2 ** Math.max(0, Math.floor(Math.log2((toNs - fromNs) / WIDTH_PX)));
  const from = Math.floor(fromNs / resolutionNs) * resolutionNs;
  const bins = Math.max(1, Math.ceil((toNs - from) / resolutionNs));
  return { fromNs: from, toNs: from + bins * resolutionNs, bins };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export async function engineFigures(path: string): Promise<EngineFigures> {
  const core = createEngine({ version: 'bench' });
  const engine: EngineClient = new EngineClient((message) => core.dispatch(message, (reply) => engine.receive(reply)));
  try {
    const { workspaceId, workspacePath, durationNs, eventTypes, events } = await engine.call('open', { paths: [path] });
    const type = frequentType(eventTypes);
    const field = numberOf(type);
    const named = `${type.system}:${type.name}`;
    const spec: Params<'series'>['spec'] = { expr: `${named}.${field}` };
    const series = (fromNs: number, toNs: number, options?: CallOptions) => {
      const { bins, ...window } = asked(fromNs, toNs);
      return engine.call('series', { workspaceId, spec, ...window, bins }, options);
    };
    const lanes = (fromNs: number, toNs: number) => {
      const { bins, ...window } = asked(fromNs, toNs);
      return engine.call('lanes', { workspaceId, ...window, resolutionNs: (window.toNs - window.fromNs) / bins });
    };

    let firstFieldMs = Number.NaN;
    const began = performance.now();
    const onProgress = ({ firstLook }: Progress): void => {
      if (firstLook !== undefined) firstFieldMs = performance.now() - began;
    };
    const wholeFieldMs = await timed(() => series(0, durationNs, { onProgress }));
    if (Number.isNaN(firstFieldMs)) firstFieldMs = wholeFieldMs;
    const next = randoms();
    const windows = Array.from({ length: WINDOWS }, (_, i): [number, number] => {
      if (i === 0) return [0, durationNs];
      // Widths from all of it down to a ten-thousandth, each as likely as the others.
      const width = durationNs * 10 ** (-4 * next());
      const from = next() * (durationNs - width);
      return [from, from + width];
    });
    const warm = async (ask: (fromNs: number, toNs: number) => Promise<unknown>): Promise<number[]> => {
      for (const [from, to] of windows) await ask(from, to);
      const taken: number[] = [];
      for (const [from, to] of windows) taken.push(await timed(() => ask(from, to)));
      return taken;
    };
    const lanesMs = await warm(lanes);
    const seriesMs = await warm(series);

    const rowsAt = async (filter: string): Promise<number[]> => {
      const { total } = await engine.call('rows', { workspaceId, first: 0, count: 1, filter });
      const taken: number[] = [];
      for (let i = 0; i < PLACES && total > 0; i++) {
        const first = Math.floor(next() * total);
        taken.push(await timed(() => engine.call('rows', { workspaceId, first, count: 50, filter })));
      }
      return taken;
    };
    const scan = (filter: string): Promise<number> =>
      timed(() => engine.call('rows', { workspaceId, first: 0, count: 50, filter }));
    const rare = rareType(eventTypes, events);
    const filter = `${rare.name}: ${numberOf(rare)} > 0`;
    const filterMs = await scan(filter);
    const decodingFilter = `${type.name}: ${field} > 0`;
    const decodingFilterMs = await scan(decodingFilter);
    const rowsMs = await rowsAt('');
    const filteredRowsMs = await rowsAt(decodingFilter);

    // A text that some events have and that no field tells apart from the others.
    const search = 'info ~ "*kworker*"';
    const firstHitMs = await timed(() =>
      engine.call('rows', { workspaceId, first: 0, count: 50, filter: search, partial: true }),
    );
    const searchMs =
      firstHitMs + (await timed(() => engine.call('rows', { workspaceId, first: 0, count: 50, filter: search })));

    const sql = `SELECT count(*), avg("${field}") FROM "${type.name}" GROUP BY cpu`;
    await engine.call('sql', { workspaceId, query: 'SELECT 1' });
    const sqlMs = await timed(() => engine.call('sql', { workspaceId, query: sql }));
    return {
      events,
      workspaceBytes: statSync(workspacePath).size,
      lanesMs,
      seriesMs,
      field: `${named}.${field}`,
      fieldEvents: type.count,
      firstFieldMs,
      wholeFieldMs,
      filter,
      filterMs,
      decodingFilter,
      decodingFilterMs,
      search,
      searchMs,
      firstHitMs,
      rowsMs,
      filteredRowsMs,
      sql,
      sqlMs,
    };
  } finally {
    await core.close();
  }
}

const numberOf = ({ fields }: EventTypeInfo): string =>
  fields.find(({ kind, common }) => kind === 'number' && !common)?.name ?? '';

/** The most frequent type with a number of its own. */
function frequentType(types: readonly EventTypeInfo[]): EventTypeInfo {
  const [first] = types.filter((type) => numberOf(type) !== '').sort((a, b) => b.count - a.count);
  if (first === undefined) throw new Error('no event has a number');
  return first;
}

/** The pauses of throttled writers where the recording has them, else the type nearest to one event in a hundred. */
function rareType(types: readonly EventTypeInfo[], events: number): EventTypeInfo {
  const pauses = types.find(({ name, count }) => name === 'balance_dirty_pages' && count > 0);
  if (pauses !== undefined) return { ...pauses, fields: pauses.fields.filter(({ name }) => name === 'pause') };
  const distance = ({ count }: EventTypeInfo): number => Math.abs(Math.log(count / events) - Math.log(0.01));
  return (
    types.filter((type) => numberOf(type) !== '').sort((a, b) => distance(a) - distance(b))[0] ?? frequentType(types)
  );
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error('name a recording');
  process.stdout.write(`${JSON.stringify(await engineFigures(resolve(path)))}\n`);
}
