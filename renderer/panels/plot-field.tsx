import { addFieldPlot } from '../state/plots.ts';
import { plotsStore } from '../state/stores.ts';
import { MoreIcon, PlotIcon } from '../ui/icons.tsx';
import { MenuButton, type MenuSection } from '../ui/menu.tsx';

interface PlotFieldProps {
  /** `system:name`. */
  event: string;
  field: string;
  /** Fields of the event that a plot can be split by. */
  groupFields: readonly string[];
}

/** "Plot this field", and the ways to split it or to put it into a plot that is there already. */
export function PlotFieldButtons({ event, field, groupFields }: PlotFieldProps) {
  const sections = (): MenuSection[] => {
    const by = (groupBy: string, label: string) => ({ label, run: () => void addFieldPlot({ event, field, groupBy }) });
    return [
      {
        title: `Plot ${field}`,
        items: [by('', 'As one line'), by('cgroup', 'By cgroup'), by('task', 'By task'), by('cpu', 'By CPU')],
      },
      {
        title: 'Add to a plot',
        items: plotsStore.getState().plots.map((plot, index) => ({
          label: `${index + 1}: ${plotName(plot.spec)}`,
          run: () => void addFieldPlot({ event, field, into: plot.key, groupBy: plot.spec.series[0].groupBy }),
        })),
      },
      {
        title: 'By a field',
        items: groupFields.filter((name) => name !== field).map((name) => by(name, `By ${name}`)),
      },
    ];
  };
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-label={`Plot ${field}`}
        title={`Plot ${field}`}
        onClick={() => void addFieldPlot({ event, field })}
      >
        <PlotIcon />
      </button>
      <MenuButton label={`Ways to plot ${field}`} sections={sections} className="icon-button narrow">
        <MoreIcon />
      </MenuButton>
    </>
  );
}

/** What a plot is called: its title, or its series without the event they share. */
export function plotName(spec: { title: string; series: { expr: string; groupBy: string }[] }): string {
  if (spec.title) return spec.title;
  const names = spec.series.map((one) => one.expr.replace(/^[\w-]+:[\w-]+\.(?=\w+$)/, ''));
  const by = spec.series[0].groupBy;
  return `${names.join(', ')}${by ? ` by ${by}` : ''}`;
}
