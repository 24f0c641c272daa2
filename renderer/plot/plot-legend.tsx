import { useLayoutEffect, useRef } from 'react';
import { lineKey, type PlotLine, valueAt } from '../../shared/draw/plot-lines.ts';
import { formatValue } from '../../shared/units.ts';
import { selectionStore } from '../state/stores.ts';
import { forgetPaint, paintSoon } from '../timeline/frames.ts';
import { shownIndex } from './samples.ts';

interface PlotLegendProps {
  lines: readonly PlotLine[];
  hidden: ReadonlySet<string>;
  onToggle: (line: PlotLine) => void;
}

/** The lines' names and looks, with what each shows at the pointer, else at the selected event. Buttons hide lines. */
export function PlotLegend({ lines, hidden, onToggle }: PlotLegendProps) {
  const list = useRef<HTMLUListElement>(null);
  // Written as frames are drawn, not rendered: the pointer's time changes with every one.
  useLayoutEffect(() => {
    const write = () => {
      const { hoverNs, eventTimeNs } = selectionStore.getState();
      const atNs = hoverNs ?? eventTimeNs;
      const values = list.current?.querySelectorAll('.plot-legend-value') ?? [];
      for (const [index, value] of values.entries()) {
        const text = atNs === null ? '' : valueText(lines[index], atNs);
        if (value.textContent !== text) value.textContent = text;
      }
    };
    const ask = () => paintSoon(write);
    const stop = selectionStore.subscribe((state, before) => {
      if (state.hoverNs !== before.hoverNs || state.eventTimeNs !== before.eventTimeNs) ask();
    });
    ask();
    return () => {
      stop();
      forgetPaint(write);
    };
  }, [lines]);
  return (
    <ul ref={list} className="plot-legend" aria-label="Legend" data-control>
      {lines.map((line) => {
        const key = lineKey(line);
        return (
          <li key={key}>
            <button
              type="button"
              aria-pressed={!hidden.has(key)}
              title={`Show or hide ${line.label}`}
              onClick={() => onToggle(line)}
            >
              <Swatch line={line} />
              <span className="plot-legend-name">{line.label}</span> <span className="plot-legend-value" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** What a line shows at a time, with its unit; a dash before its first sample. */
function valueText(line: PlotLine, ns: number): string {
  const index = shownIndex(line, ns);
  return index < 0 ? '–' : formatValue(valueAt(line, index), line.unit, { grouping: true });
}

/** A piece of the line as it is drawn: colour and dash, or dots or bars. */
function Swatch({ line }: { line: PlotLine }) {
  const { style } = line.spec;
  return (
    <svg width="18" height="10" aria-hidden="true" className="plot-swatch">
      {style === 'points' && [3, 9, 15].map((x) => <circle key={x} cx={x} cy="5" r="2" fill={line.color} />)}
      {style === 'bars' &&
        [1, 7, 13].map((x, index) => (
          <rect key={x} x={x} y={[4, 0, 2][index]} width="4" height={[6, 10, 8][index]} fill={line.color} />
        ))}
      {style === 'area' && <rect x="0" y="5" width="18" height="5" fill={line.color} fillOpacity="0.25" />}
      {(style === 'step' || style === 'line' || style === 'area') && (
        <line x1="0" y1="5" x2="18" y2="5" stroke={line.color} strokeWidth="2" strokeDasharray={line.dash.join(' ')} />
      )}
    </svg>
  );
}
