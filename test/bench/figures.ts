/** The figures that the project means to reach, as lines of one table: what was asked, what was measured. */

export interface Figure {
  what: string;
  reach: string;
  measured: string;
  /** Null: not measured, and `measured` says why. */
  reached: boolean | null;
}

export type Limit = { least: number } | { most: number };

/** `unit` follows the number. A peer that is missing gives NaN. */
export function figure(what: string, limit: Limit, value: number, unit: string, more = ''): Figure {
  const [sign, bound] = 'least' in limit ? ['≥', limit.least] : ['≤', limit.most];
  const reach = `${sign} ${bound} ${unit}`;
  if (Number.isNaN(value)) return { what, reach, measured: `not measured${more && `: ${more}`}`, reached: null };
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const measured = `${value.toFixed(digits)} ${unit}${more && `   ${more}`}`;
  return { what, reach, measured, reached: 'least' in limit ? value >= limit.least : value <= limit.most };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function figureLines(figures: readonly Figure[]): string[] {
  const width = (cells: readonly string[]): number => Math.max(...cells.map(({ length }) => length));
  const whatWidth = width(['figure', ...figures.map(({ what }) => what)]);
  const reachWidth = width(['to reach', ...figures.map(({ reach }) => reach)]);
  const line = (what: string, reach: string, mark: string, measured: string): string =>
    `${what.padEnd(whatWidth)}  ${reach.padEnd(reachWidth)}  ${mark.padEnd(3)}  ${measured}`;
  return [
    line('figure', 'to reach', '', 'measured'),
    ...figures.map(({ what, reach, measured, reached }) =>
      line(what, reach, reached === null ? '-' : reached ? 'yes' : 'no', measured),
    ),
  ];
}
