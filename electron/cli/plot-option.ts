import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import { parsePlot } from '../../shared/plot-text.ts';

/** A series from `--plot`, narrowed by `--filter` where both are given. Throws `bad-expression` with the position. */
export function plotOf(text: string, filter: string | undefined): SeriesSpec {
  const parsed = parsePlot(text);
  if (!parsed.ok) {
    const { message, position } = parsed.error;
    throw new RemoraError({ code: 'bad-expression', message: `--plot “${text}”: ${message}`, position });
  }
  if (filter === undefined || filter.trim() === '') return parsed.ast;
  const { where } = parsed.ast;
  return { ...parsed.ast, where: where === '' ? filter : `(${where}) && (${filter})` };
}
