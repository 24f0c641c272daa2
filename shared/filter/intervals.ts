/** Sets of whole numbers as ascending, disjoint, inclusive intervals; the ends may be infinite. Immutable. */
export type IntervalSet = readonly (readonly [from: number, to: number])[];

export const EVERYTHING: IntervalSet = [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]];
export const NOTHING: IntervalSet = [];

/** The numbers from `from` to `to`, both included; rounded inwards. */
export function interval(from: number, to: number): IntervalSet {
  const [first, last] = [Math.ceil(from), Math.floor(to)];
  return first <= last ? [[first, last]] : NOTHING;
}

export function intersection(a: IntervalSet, b: IntervalSet): IntervalSet {
  const result: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const from = Math.max(a[i][0], b[j][0]);
    const to = Math.min(a[i][1], b[j][1]);
    if (from <= to) result.push([from, to]);
    if (a[i][1] < b[j][1]) i++;
    else j++;
  }
  return result;
}

export function union(a: IntervalSet, b: IntervalSet): IntervalSet {
  const result: [number, number][] = [];
  for (const [from, to] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const last = result[result.length - 1];
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

export function complement(a: IntervalSet): IntervalSet {
  const result: [number, number][] = [];
  let from = Number.NEGATIVE_INFINITY;
  for (const [first, last] of a) {
    if (first > from) result.push([from, first - 1]);
    from = last + 1;
  }
  if (from < Number.POSITIVE_INFINITY) result.push([from, Number.POSITIVE_INFINITY]);
  return result;
}

/** True where any number from `from` to `to` is in the set: whether a chunk can hold one. */
export const overlaps = (set: IntervalSet, from: number, to: number): boolean =>
  set.some(([first, last]) => first <= to && last >= from);

export const contains = (set: IntervalSet, value: number): boolean => overlaps(set, value, value);
