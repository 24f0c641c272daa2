import uPlot from 'uplot';
import { drawNoteBands } from '../../shared/draw/notes.ts';
import { type PlotLine, valueRange } from '../../shared/draw/plot-lines.ts';
import { drawLineMarks } from '../../shared/draw/plot-marks.ts';
import { drawTimeGrid, type TimeScale } from '../../shared/draw/ruler.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import { type ValueAxis, valueAxis } from '../../shared/draw/value-axis.ts';
import type { Annotation } from '../../shared/model.ts';
import { CanvasSurface, fitCanvas } from '../timeline/canvas-surface.ts';
import { AXIS_PX } from '../timeline/geometry.ts';
import { cropLine } from './samples.ts';
import 'uplot/dist/uPlot.min.css';

/** Everything that one frame of a plot shows. */
export interface PlotFrame {
  lines: readonly PlotLine[];
  /** x counts from the end of the gutter. */
  scale: TimeScale;
  scaleKind: 'linear' | 'log';
  heightPx: number;
  /** Free space right of the time axis, which a right value axis may take. */
  rightPx: number;
  theme: Theme;
  annotations: readonly Annotation[];
}

type Side = 'left' | 'right';
const SCALES: Record<Side, string> = { left: 'left', right: 'right' };
/** Above the plot, so that the topmost label of an axis is whole; below it the same. */
const PAD_PX = 8;
const LABEL_PX = 11;
/** With more points than this for each column of pixels, all lines are drawn column by column. */
const CROWDED = 2;

/** uPlot's scales are always linear: on a log axis they hold decimal logarithms, so that an axis may change its kind. */
const onScale = (axis: ValueAxis, value: number): number => (axis.scale === 'log' ? Math.log10(value) : value);
const marks = (axis: ValueAxis | null): [value: number, label: string][] =>
  axis ? axis.ticks.marks.map((mark) => [onScale(axis, mark.value), mark.label]) : [];

/**
 * A plot on uPlot, which keeps scales and draws value axes; lines are drawn by the painters that charts are exported
 * with, so that both agree, on a canvas of their own. The time axis starts `AXIS_PX` right of the host's left edge, where the lanes have theirs.
 */
export class PlotView {
  readonly #plot: uPlot;
  /** Over uPlot's canvas: the lines, which are all that is on it. */
  readonly #lines = document.createElement('canvas');
  #frame: PlotFrame;
  #axes: Record<Side, ValueAxis | null> = { left: null, right: null };
  /** What the frame's window shows of the lines. */
  #visible: PlotLine[] = [];

  constructor(host: HTMLElement, frame: PlotFrame) {
    this.#frame = frame;
    this.#plot = new uPlot(this.#options(), [[0, 1]], host);
    this.#lines.className = 'plot-lines';
    host.append(this.#lines);
    this.draw(frame);
  }

  /** Axis of one side as drawn last, heights in px from the top of the host; null where no line uses it. */
  axis(side: Side): ValueAxis | null {
    return this.#axes[side];
  }

  /** Lines as drawn last, cut to the window. */
  get visible(): readonly PlotLine[] {
    return this.#visible;
  }

  /** Draws a frame. The work is bounded by what is visible, whatever was loaded. */
  draw(frame: PlotFrame): void {
    this.#frame = frame;
    const { scale, heightPx, rightPx } = frame;
    this.#visible = frame.lines.map((line) => cropLine(line, scale));
    this.#axes = { left: this.#layoutAxis('left'), right: this.#layoutAxis('right') };
    const width = AXIS_PX + scale.widthPx + rightPx;
    // A batch draws once, at its end, whatever is asked for within it.
    this.#plot.batch(() => {
      if (this.#plot.width !== width || this.#plot.height !== heightPx) this.#plot.setSize({ width, height: heightPx });
      this.#plot.setScale('x', { min: scale.fromNs, max: scale.toNs });
      for (const side of ['left', 'right'] as const) {
        const axis = this.#axes[side];
        if (axis) this.#plot.setScale(SCALES[side], { min: onScale(axis, axis.min), max: onScale(axis, axis.max) });
      }
      this.#plot.redraw(false, true);
    });
    this.#paintLines();
  }

  destroy(): void {
    this.#plot.destroy();
    this.#lines.remove();
  }

  #layoutAxis(side: Side): ValueAxis | null {
    const lines = this.#visible.filter((line) => line.spec.axis === side);
    const range = valueRange(lines, this.#frame.scale);
    if (!range) return null;
    const styles = lines.map((line) => line.spec.style);
    return valueAxis(range, this.#frame.scaleKind, styles, PAD_PX, this.#frame.heightPx - PAD_PX);
  }

  #options(): uPlot.Options {
    const { scale, heightPx, rightPx } = this.#frame;
    return {
      width: AXIS_PX + scale.widthPx + rightPx,
      height: heightPx,
      ms: 1,
      padding: [
        PAD_PX,
        () => (this.#axes.right ? 0 : this.#frame.rightPx),
        PAD_PX,
        () => (this.#axes.left ? 0 : AXIS_PX),
      ],
      legend: { show: false },
      // Pointing is the timeline's: one cursor and one kind of drag for lanes and plots.
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: {
        x: { time: false, auto: false },
        left: { auto: false, range: (_, min, max) => [min, max] },
        right: { auto: false, range: (_, min, max) => [min, max] },
      },
      series: [{}],
      axes: [{ show: false }, this.#axisOptions('left'), this.#axisOptions('right')],
      hooks: { drawClear: [() => this.#paintBack()] },
    };
  }

  #axisOptions(side: Side): uPlot.Axis {
    const font = getComputedStyle(document.body).fontFamily || 'sans-serif';
    return {
      scale: SCALES[side],
      side: side === 'left' ? 3 : 1,
      size: AXIS_PX,
      gap: 6,
      font: `${LABEL_PX}px ${font}`,
      stroke: () => this.#frame.theme.muted,
      ticks: { show: false },
      grid: { show: side === 'left', stroke: () => this.#frame.theme.grid, width: 1 },
      splits: () => marks(this.#axes[side]).map(([value]) => value),
      values: () => marks(this.#axes[side]).map(([, label]) => label),
      filter: (_, splits) => splits,
    };
  }

  /** Grid and notes, in CSS px from the left end of the time axis. */
  #paintBack(): void {
    const { ctx } = this.#plot;
    const { scale, heightPx, theme, annotations } = this.#frame;
    const area = { x: 0, y: 0, width: scale.widthPx, height: heightPx };
    ctx.save();
    ctx.scale(uPlot.pxRatio, uPlot.pxRatio);
    ctx.translate(AXIS_PX, 0);
    const surface = new CanvasSurface(ctx, scale.widthPx, heightPx);
    surface.clip(0, 0, scale.widthPx, heightPx, () => {
      drawTimeGrid(surface, area, scale, theme);
      drawNoteBands(surface, area, scale, annotations, theme);
    });
    surface.finish();
    ctx.restore();
  }

  #paintLines(): void {
    const { scale, heightPx, theme } = this.#frame;
    Object.assign(this.#lines.style, { width: `${scale.widthPx}px`, height: `${heightPx}px` });
    const surface = fitCanvas(this.#lines, scale.widthPx, heightPx, true);
    if (!surface) return;
    const widthPx = 1 / uPlot.pxRatio;
    const points = this.#visible.reduce((sum, { line }) => sum + line.tNs.length, 0);
    const grid = { widthPx, phasePx: 0, crowded: points * widthPx > CROWDED * scale.widthPx };
    for (const line of this.#visible) {
      const axis = this.#axes[line.spec.axis];
      if (axis) drawLineMarks(surface, line, scale, axis, theme, grid);
    }
    surface.finish();
  }
}
