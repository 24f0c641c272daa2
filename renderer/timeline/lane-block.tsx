import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { drawCpuLane } from '../../shared/draw/lanes.ts';
import { drawNoteBands } from '../../shared/draw/notes.ts';
import { drawRibbon } from '../../shared/draw/ribbons.ts';
import { drawTimeGrid } from '../../shared/draw/ruler.ts';
import { drawTaskLane } from '../../shared/draw/task-lanes.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import { annotationsStore, episodesStore, selectionStore, viewportStore, workspaceStore } from '../state/stores.ts';
import { hideTaskLane } from '../state/task-lanes.ts';
import { themeStore } from '../state/theme.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { Canvas } from './canvas.tsx';
import type { CanvasSurface } from './canvas-surface.ts';
import { drawEstimate } from './estimate.ts';
import { currentScale, geometryStore, timeWidthPx } from './geometry.ts';
import { stepInLane } from './lane-actions.ts';
import { laneTarget } from './lane-target.ts';
import { lanesStore } from './lanes-data.ts';
import { type LaneBlock, type LaneRow, laneKey } from './layout.ts';
import { setPointTarget } from './pointing.ts';
import { taskDataStore, taskLaneKey } from './task-lanes-data.ts';
import { stepInTask } from './task-target.ts';

const watch = [
  viewportStore,
  geometryStore,
  lanesStore,
  taskDataStore,
  annotationsStore,
  episodesStore,
  workspaceStore,
];
/** Free space above and below the drawing of a lane. */
const PAD_PX = 3;

interface LaneBlockProps {
  block: LaneBlock;
  /** Colours of ribbons by key. */
  colors: Map<string, string>;
  /** Accessible name of the list of lanes. */
  label: string;
}

/** Some lanes on one canvas, with their names as a list in the gutter. */
export function LaneBlockView({ block, colors, label }: LaneBlockProps) {
  const widthPx = useStore(geometryStore, timeWidthPx);
  const theme = useStore(themeStore, (state) => state.theme);
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (area.current) setPointTarget(area.current, laneTarget(block, colors));
  }, [block, colors]);
  return (
    <div className="lane-block" style={{ height: block.heightPx }}>
      <ul className="lane-names" aria-label={label}>
        {block.rows.map((row) => (
          <LaneName key={row.key} row={row} color={row.kind === 'ribbon' ? colors.get(row.ribbon.key) : undefined} />
        ))}
      </ul>
      <div ref={area} className="lane-area" data-point-target style={{ height: block.heightPx, width: widthPx }}>
        <Canvas
          dense
          widthPx={widthPx}
          heightPx={block.heightPx}
          paint={(surface) => paintBlock(surface, block, colors, theme)}
          watch={watch}
        />
      </div>
    </div>
  );
}

const nameOf = (row: LaneRow): string =>
  row.kind === 'cpu' ? row.label : `${row.kind === 'task' ? 'task' : 'cgroup'} ${row.label}`;

/** Selects something of a lane: what is nearest (0), the next (1), the one before (-1). */
const step = (row: LaneRow, direction: -1 | 0 | 1): void =>
  row.kind === 'task' ? stepInTask(row, direction) : stepInLane(row, direction);

/** A lane's name: reached by Tab, moved along by the arrow keys, so that lanes can be read without a pointer. */
function LaneName({ row, color }: { row: LaneRow; color?: string }) {
  const selected = useStore(
    selectionStore,
    (state) => row.kind === 'cpu' && state.event?.cpu === row.cpu && state.event.stream === row.stream,
  );
  return (
    <li style={{ height: row.heightPx }} data-selected={selected || undefined}>
      <button
        type="button"
        className="lane-name"
        title={row.label}
        aria-label={nameOf(row)}
        aria-current={selected || undefined}
        onClick={() => step(row, 0)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
          event.preventDefault();
          step(row, event.key === 'ArrowRight' ? 1 : -1);
        }}
      >
        {color && <span className="swatch" style={{ background: color }} />}
        <span className="lane-label">{row.label}</span>
      </button>
      {row.kind === 'task' && (
        <button
          type="button"
          className="remove-button"
          aria-label={`Remove task lane ${row.label}`}
          title="Remove this lane"
          onClick={() => hideTaskLane(row)}
        >
          <CloseIcon />
        </button>
      )}
    </li>
  );
}

function paintBlock(surface: CanvasSurface, block: LaneBlock, colors: Map<string, string>, theme: Theme): void {
  const scale = currentScale();
  const { result, lanes } = lanesStore.getState();
  const estimated = result ? [] : (workspaceStore.getState().estimate?.lanes ?? []);
  const whole = { x: 0, y: 0, width: surface.widthPx, height: surface.heightPx };
  drawTimeGrid(surface, whole, scale, theme);
  for (const row of block.rows) {
    const bottom = row.y + row.heightPx - 0.5;
    surface.line(0, bottom, surface.widthPx, bottom, { color: theme.grid, width: 1 });
    const area = { x: 0, y: row.y + PAD_PX, width: surface.widthPx, height: row.heightPx - 2 * PAD_PX };
    if (row.kind === 'ribbon')
      drawRibbon(surface, area, scale, row.ribbon, colors.get(row.ribbon.key) ?? theme.accent, theme);
    else if (row.kind === 'task') {
      const tasks = taskDataStore.getState();
      const lane = tasks.lanes.get(taskLaneKey(row));
      if (lane && tasks.result) drawTaskLane(surface, area, scale, lane, tasks.result, theme);
    } else {
      const lane = lanes.get(laneKey(row.stream, row.cpu));
      if (lane && result) drawCpuLane(surface, area, scale, lane, result, theme);
      else {
        const estimate = estimated.find(({ stream, cpu }) => stream === row.stream && cpu === row.cpu);
        if (estimate) drawEstimate(surface, area, scale, estimate, theme);
      }
    }
  }
  drawNoteBands(surface, whole, scale, annotationsStore.getState().annotations, theme);
}
