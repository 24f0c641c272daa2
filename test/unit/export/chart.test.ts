import { fileURLToPath } from 'node:url';
import { Resvg } from '@resvg/resvg-js';
import { describe, expect, test } from 'vitest';
import { exportChart } from '../../../electron/export/chart-data.ts';
import type { Engine, ParsedParams } from '../../../shared/api.ts';
import { type ChartSpec, chartSpecSchema } from '../../../shared/chart.ts';
import { chartEngine, everyPanel, notes, summary } from './chart-fixture.ts';

type Options = Partial<Omit<ParsedParams<'exportChart'>, 'spec'>>;

const render = (spec: ChartSpec, options: Options = {}, annotations = notes) =>
  exportChart(chartEngine(annotations).call, summary, {
    workspaceId: 'w1',
    spec,
    format: 'svg',
    widthPx: 700,
    theme: 'light',
    ...options,
  });
const svgOf = async (spec: ChartSpec, options?: Options, annotations = notes): Promise<string> =>
  new TextDecoder().decode((await render(spec, options, annotations)).bytes);
const sizeOf = (svg: string): { width: number; height: number } => new Resvg(svg, { font: { loadSystemFonts: false } });
/** Width and height of a PNG: the first chunk, IHDR, holds them big-endian at 16 and 20. */
const pngSize = (bytes: Uint8Array): { width: number; height: number } => {
  expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
};
const plot = (expr: string, more: object = {}) => ({
  kind: 'plot',
  series: [{ expr: `writeback:balance_dirty_pages.${expr}`, ...more }],
});
const chart = (panels: object[], more: object = {}): ChartSpec =>
  chartSpecSchema.parse({ version: 1, panels, ...more });

describe('SVG', () => {
  test.each(['light', 'dark'] as const)('every kind of panel, %s', async (theme) => {
    await expect(await svgOf(everyPanel, { theme })).toMatchFileSnapshot(`snapshots/every-panel-${theme}.svg`);
  });

  test('is the same each time, and as large as it says', async () => {
    const svg = await svgOf(everyPanel, { heightPx: 900 });
    expect(await svgOf(everyPanel, { heightPx: 900 })).toBe(svg);
    expect(sizeOf(svg)).toMatchObject({ width: 700, height: 900 });
  });

  test('says what it is: recording, window, events, clock, and what is left out', async () => {
    const svg = await svgOf(everyPanel);
    const facts = ['writers.dat', 'trace time 55.008142 to 56.008142 s', 'clock local', '12,345 events in all'];
    const left = ['2 impossible values left out (counter underflow)', '2 points ≤ 0 not on the log scale', '3 lost'];
    for (const text of [...facts, ...left]) expect(svg).toContain(text);
  });

  test('air around what was recorded is no recorded time', async () => {
    const svg = await svgOf(chart([plot('dirty')], { window: { fromNs: -1e8, toNs: 1.1e9 } }));
    expect(svg).toContain('1 s of 1 s · trace time 55.008142 to 56.008142 s');
  });

  test('text is escaped, and notes that do not fit stand below in full', async () => {
    const svg = await svgOf(chart([plot('dirty')], { title: 'a <b> & "c"' }));
    expect(svg).toContain('a &lt;b&gt; &amp; &quot;c&quot;</text>');
    expect(svg).toContain('950 ms: the backup ends</text>');
    expect(svg).toContain('&amp; dirty falls &lt;fast&gt;</text>');
  });

  test('notes can be left out', async () => {
    expect(await svgOf(chart([plot('dirty')], { annotations: false }))).not.toContain('web is throttled');
    expect(await svgOf(chart([plot('dirty')]))).toContain('web is throttled');
  });

  test('notes outside the window are not shown', async () => {
    const svg = await svgOf(chart([plot('dirty')], { window: { fromNs: 0, toNs: 1e8 } }));
    expect(svg).not.toContain('web is throttled');
  });

  test('a window without samples says so', async () => {
    expect(await svgOf(chart([plot('nothing')]))).toContain('no samples in this window');
  });

  test('panels fill a given height and shrink into one', async () => {
    for (const heightPx of [800, 1200])
      expect(sizeOf(await svgOf(everyPanel, { heightPx }))).toMatchObject({ height: heightPx });
    const message = await render(everyPanel, { heightPx: 200 }).then(String, (error: Error) => error.message);
    const needed = Number(/at least (\d+) px/.exec(message)?.[1]);
    expect(sizeOf(await svgOf(everyPanel, { heightPx: needed }))).toMatchObject({ height: needed });
    await expect(render(everyPanel, { heightPx: needed - 1 })).rejects.toMatchObject({ code: 'bad-request' });
  });

  test('long names leave the room to the data', async () => {
    const { call } = chartEngine();
    const named = (async (method: string, params: never) => {
      const answer = await call(method as 'episodes', params);
      if (method !== 'episodes') return answer;
      return {
        ...answer,
        episodes: answer.episodes.map((episode) => ({
          ...episode,
          cgroup: { ino: '1', path: `kubepods.slice/${'pod'.repeat(80)}/web` },
        })),
      };
    }) as Engine['call'];
    const spec = chart([{ kind: 'lanes', by: 'episodes' }]);
    const { bytes } = await exportChart(named, summary, {
      workspaceId: 'w1',
      spec,
      format: 'svg',
      widthPx: 800,
      theme: 'light',
    });
    const svg = new TextDecoder().decode(bytes);
    expect(svg).toMatch(/>kubepods\.slice[^<]*…[^<]*web<\/text>/);
    const data = /<clipPath id="[^"]*"><rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"/.exec(svg);
    expect(Number(data?.[1])).toBeGreaterThan(550);
  });

  test.each([200, 320, 1600, 4000])('stays inside %d px', async (widthPx) => {
    const svg = await svgOf(everyPanel, { widthPx });
    const fontFiles = ['DejaVuSans', 'DejaVuSans-Bold'].map((name) =>
      fileURLToPath(new URL(`../../../node_modules/dejavu-fonts-ttf/ttf/${name}.ttf`, import.meta.url)),
    );
    // The text alone, as shapes that a clip hides count in a bounding box.
    const text = svg.replace(/<(rect|path|circle) [^>]*>/g, '').replace(/ clip-path="[^"]*"/g, '');
    const box = new Resvg(text, {
      font: { loadSystemFonts: false, fontFiles, sansSerifFamily: 'DejaVu Sans' },
    }).getBBox();
    expect(box?.width).toBeGreaterThan(widthPx / 2);
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(widthPx);
  });
});

describe('PNG', () => {
  test('has the size asked for, and text without any font of the machine', async () => {
    const image = await render(everyPanel, { format: 'png', heightPx: 900 });
    expect(image.mime).toBe('image/png');
    expect(pngSize(image.bytes)).toEqual({ width: 700, height: 900 });
    const untitled = await render(chart(everyPanel.panels, { title: ' ' }), { format: 'png', heightPx: 900 });
    expect(Buffer.compare(image.bytes, untitled.bytes)).not.toBe(0);
  });

  test('that would be too large is refused, as SVG it is not', async () => {
    const size = { widthPx: 20_000, heightPx: 20_000 };
    await expect(render(everyPanel, { format: 'png', ...size })).rejects.toMatchObject({ code: 'bad-request' });
    expect(sizeOf(await svgOf(everyPanel, size))).toMatchObject({ width: 20_000, height: 20_000 });
  });

  test('is the same each time', async () => {
    const [first, second] = [await render(everyPanel, { format: 'png' }), await render(everyPanel, { format: 'png' })];
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
  });
});

describe('what is asked of the engine', () => {
  test('each thing once, in bins of a pixel', async () => {
    const { call, asked } = chartEngine();
    const spec = chart(
      [{ kind: 'lanes', by: 'cpu' }, { kind: 'lanes', by: 'cpu' }, { kind: 'lanes', by: 'episodes' }, plot('dirty')],
      { window: { fromNs: 1e8, toNs: 5e8 } },
    );
    await exportChart(call, summary, { workspaceId: 'w1', spec, format: 'svg', widthPx: 800, theme: 'dark' });
    expect(asked.map(([method]) => method).sort()).toEqual(['annotations', 'episodes', 'lanes', 'series']);
    expect(asked.find(([method]) => method === 'lanes')?.[1]).toEqual({
      workspaceId: 'w1',
      fromNs: 1e8,
      toNs: 5e8,
      resolutionNs: 5e5,
    });
    expect(asked.find(([method]) => method === 'series')?.[1]).toMatchObject({ fromNs: 1e8, toNs: 5e8, bins: 800 });
  });

  test('an empty window is refused, an empty recording is not', async () => {
    await expect(render(chart([plot('dirty')], { window: { fromNs: 5, toNs: 5 } }))).rejects.toMatchObject({
      code: 'bad-request',
    });
    const { call } = chartEngine([]);
    const image = await exportChart(
      call,
      { ...summary, durationNs: 0, events: 0 },
      { workspaceId: 'w1', spec: everyPanel, format: 'svg', widthPx: 700, theme: 'light' },
    );
    expect(new TextDecoder().decode(image.bytes)).toContain('0 events in all');
  });
});
