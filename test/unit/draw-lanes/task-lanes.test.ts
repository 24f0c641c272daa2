import { describe, expect, it } from 'vitest';
import { type TaskLane, WAIT_PREEMPTED, WAIT_WAKEUP } from '../../../shared/api.ts';
import { taskPanel } from '../../../shared/draw/chart-rows.ts';
import { cpuColor, drawTaskLane } from '../../../shared/draw/task-lanes.ts';
import { themes } from '../../../shared/draw/theme.ts';
import { RecordingSurface } from './recording-surface.ts';

const theme = themes.light;
const scale = { fromNs: 0, toNs: 1000, x: 0, widthPx: 1000 }; // 1 ns is 1 px
const area = { x: 0, y: 0, width: 1000, height: 27 };
const data = { fromNs: 0, resolutionNs: 10, lost: {} };

type Entries = [from: number, to: number, what: number, busy?: number][];
const lane = (slices: Entries | null, waits: Entries = [], density: number[] = []): TaskLane => ({
  stream: 0,
  pid: 7,
  comm: 'dd',
  slices: slices && {
    fromNs: Float64Array.from(slices, ([from]) => from),
    toNs: Float64Array.from(slices, ([, to]) => to),
    cpu: Int32Array.from(slices, ([, , cpu]) => cpu),
    merged: Uint8Array.from(slices, ([, , , busy]) => (busy === undefined ? 0 : 1)),
    busy: Float32Array.from(slices, ([, , , busy]) => busy ?? 1),
  },
  waits: slices && {
    fromNs: Float64Array.from(waits, ([from]) => from),
    toNs: Float64Array.from(waits, ([, to]) => to),
    kind: Uint8Array.from(waits, ([, , kind]) => kind),
    merged: Uint8Array.from(waits, ([, , , busy]) => (busy === undefined ? 0 : 1)),
  },
  density: Uint32Array.from(density),
  ranNs: slices && 0,
});

function draw(what: TaskLane, lost: { atNs: number; count: number }[] = []): RecordingSurface {
  const surface = new RecordingSurface();
  drawTaskLane(surface, area, scale, what, { ...data, lost: { 0: lost } }, theme);
  return surface;
}

describe('a task lane', () => {
  it('has slices in the colour of their CPU, named where that fits', () => {
    const surface = draw(
      lane([
        [100, 300, 0],
        [300, 310, 1],
      ]),
    );
    const [first, second] = surface.of('rect');
    expect(first).toMatchObject({ x: 100, height: 20, paint: { fill: cpuColor(0, theme) } });
    expect(second).toMatchObject({ x: 300, paint: { fill: cpuColor(1, theme) } });
    expect(cpuColor(0, theme)).not.toBe(cpuColor(1, theme));
    expect(surface.texts).toEqual(['CPU 0']);
  });
  it('is as high as the task ran where slices are merged', () => {
    const [merged] = draw(lane([[100, 110, 0, 0.25]])).of('rect');
    expect(merged).toMatchObject({ y: 15, height: 5, paint: { fillOpacity: 0.7 } });
  });
  it('has hollow boxes where it waits: green when woken up, red and dashed when preempted', () => {
    const [woken, preempted] = draw(
      lane(
        [],
        [
          [10, 60, WAIT_WAKEUP],
          [80, 90, WAIT_PREEMPTED],
        ],
      ),
    ).of('rect');
    expect(woken).toMatchObject({ x: 10.5, width: 49, paint: { stroke: { color: theme.wakeup } } });
    expect(woken.paint.fill).toBeUndefined();
    expect(woken.paint.stroke?.dash).toBeUndefined();
    expect(preempted).toMatchObject({ x: 80.5, width: 9, paint: { stroke: { color: theme.preempted, dash: [3, 2] } } });
  });
  it('has one tick a pixel for waits too short for a box, above when woken up, below when preempted', () => {
    const rects = draw(
      lane(
        [],
        [
          [10, 10.2, WAIT_WAKEUP],
          [10.4, 10.6, WAIT_WAKEUP],
          [10.7, 10.9, WAIT_PREEMPTED],
          [20, 29, WAIT_WAKEUP, 0.5],
        ],
      ),
    ).of('rect');
    const ticks = rects.filter(({ paint }) => paint.fill !== theme.panel);
    expect(ticks.map(({ x, y, paint }) => [Math.floor(x), y, paint.fill])).toEqual([
      [10, 0, theme.wakeup],
      [10, 16, theme.preempted],
      [20, 0, theme.wakeup],
    ]);
  });
  it('without sched_switch is its events over the whole height', () => {
    const [bar] = draw(lane(null, [], [0, 3])).of('rect');
    expect(bar).toMatchObject({ x: 10, y: 0, height: 27, paint: { fill: theme.density } });
  });
  it('shows what was lost while it may have run', () => {
    expect(draw(lane([]), [{ atNs: 500, count: 12 }]).texts).toEqual(['12 lost']);
  });
});

describe('a panel of task lanes', () => {
  const result = { ...data, toNs: 1000, moreTasks: 0, lanes: [lane([[0, 10, 3]], [[20, 30, WAIT_PREEMPTED]])] };
  const summary = { streams: [], recordings: [] };

  it('names its tasks, and its key has the CPUs and waits that are there', () => {
    const panel = taskPanel(result, summary, theme);
    expect(panel.strips.map(({ label }) => label)).toEqual(['dd-7']);
    expect(panel.key).toEqual([
      { label: 'preempted', color: theme.preempted, edge: 'dashed' },
      { label: 'CPU 3', color: cpuColor(3, theme) },
    ]);
    expect(panel.heading).toBe('Tasks: CPU they run on, events below');
  });
  it('says how many tasks it leaves out, and that there are events alone', () => {
    const panel = taskPanel({ ...result, moreTasks: 1234, lanes: [lane(null)] }, summary, theme);
    expect(panel.heading).toBe('Tasks: events, 1,234 more not shown');
  });
});
