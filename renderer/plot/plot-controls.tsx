import { aggregates, seriesStyles } from '../../shared/chart.ts';
import { plotTitle, seriesNames } from '../../shared/draw/plot-lines.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { removePlot } from '../state/plots.ts';
import type { PlotPanel } from '../state/stores.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { MenuButton, type MenuSection } from '../ui/menu.tsx';
import {
  changeOneSeries,
  changePlot,
  changeSeries,
  commonUnits,
  eventTypeOf,
  groupChoices,
  ownUnit,
  removeSeries,
} from './actions.ts';

/** Name and settings of a plot, in the gutter left of it. */
export function PlotControls({ plot, summary }: { plot: PlotPanel; summary: WorkspaceSummary }) {
  const { spec } = plot;
  const [first] = spec.series;
  const title = plotTitle(spec.title, spec.series);
  const type = eventTypeOf(first.expr, summary);
  const own = ownUnit(first.expr, summary);
  const units = commonUnits(spec.series, summary);
  return (
    <div className="plot-controls">
      <h3 className="plot-title" title={title}>
        {seriesTitle(plot)}
      </h3>
      <div className="plot-event-row">
        <span className="plot-event" title={type ? `${type.system}:${type.name}` : first.expr}>
          {type?.name ?? first.expr}
        </span>
        <button
          type="button"
          className="remove-button"
          aria-label={`Remove plot ${title}`}
          title="Remove this plot"
          onClick={() => removePlot(plot.key)}
        >
          <CloseIcon />
        </button>
      </div>
      <Choice
        label="Group by"
        value={first.groupBy}
        onChange={(groupBy) => changeSeries(plot, { groupBy })}
        options={[['', 'no groups'], ...groupChoices(spec.series, summary).map(byName)]}
      />
      <Choice
        label="Style"
        value={first.style}
        onChange={(style) => changeSeries(plot, { style })}
        options={seriesStyles.map((style) => [style, style])}
      />
      {units.length > 1 && (
        <Choice
          label="Unit"
          value={first.unit || own}
          onChange={(unit) => changeSeries(plot, { unit: unit === own ? '' : unit })}
          options={units.map((unit) => [unit, unit])}
        />
      )}
      <div className="plot-choices">
        <label className="plot-log">
          <input
            type="checkbox"
            checked={spec.scale === 'log'}
            onChange={(event) => changePlot(plot, { scale: event.target.checked ? 'log' : 'linear' })}
          />
          log
        </label>
        <MenuButton label={`More settings of plot ${title}`} className="plot-more" sections={() => moreSettings(plot)}>
          more…
        </MenuButton>
      </div>
    </div>
  );
}

const byName = (name: string): [string, string] => [name, `by ${name}`];
const seriesTitle = ({ spec }: PlotPanel): string => spec.title || [...new Set(seriesNames(spec.series))].join(', ');

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, text: string])[];
  onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const known = options.some(([option]) => option === value);
  return (
    <select
      className="plot-choice"
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => onChange(event.target.value as T)}
    >
      {!known && <option value={value}>{value}</option>}
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** What is wanted less often: which value of a pixel the line shows, which axis a series uses, taking series out. */
function moreSettings(plot: PlotPanel): MenuSection[] {
  const { series } = plot.spec;
  const names = seriesNames(series);
  return [
    {
      title: 'Line shows',
      items: aggregates.map((aggregate) => ({
        label: `${series[0].aggregate === aggregate ? '✓ ' : ''}${aggregate} of each pixel`,
        run: () => changeSeries(plot, { aggregate }),
      })),
    },
    {
      title: 'Axis',
      items: series.map((spec, index) => ({
        label: `${names[index]} on the ${spec.axis === 'left' ? 'right' : 'left'}`,
        run: () => changeOneSeries(plot, index, { axis: spec.axis === 'left' ? 'right' : 'left' }),
      })),
    },
    {
      title: 'Remove',
      items:
        series.length < 2
          ? []
          : series.map((_, index) => ({ label: names[index], run: () => removeSeries(plot, index) })),
    },
  ];
}
