import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import { parsePlot } from '../../shared/plot-text.ts';
import { allOf } from './filter-option.ts';

/** A series from `--plot`, narrowed by `--filter` where both are given. Throws `bad-expression` with the position. */
export function plotOf(text: string, filter = ''): SeriesSpec {
  const parsed = parsePlot(text);
  if (!parsed.ok) {
    const { message, position } = parsed.error;
    throw new RemoraError({ code: 'bad-expression', message: `--plot “${text}”: ${message}`, position });
  }
  return { ...parsed.ast, where: allOf(parsed.ast.where, filter) };
}
