import { aggregates, type SeriesSpec, seriesStyles } from './chart.ts';
import { parseExpressionPrefix } from './expression/parse.ts';
import { printExpression, quoteName } from './expression/print.ts';
import { parseFilterPrefix } from './filter/parse.ts';
import { printFilter } from './filter/print.ts';
import { type Parsed, parsed, quoteAt, TextMistake } from './typed-text.ts';
import { allUnits, findUnit } from './units.ts';

/**
 * A series as one line of text, for the command line's `--plot` and the window's "add plot" box:
 *
 *   expression [by FIELD] [where FILTER] [as AGGREGATE] [in UNIT] [axis left|right] [style STYLE]
 *
 * for instance `writeback:balance_dirty_pages.dirty / limit by cgroup where bdi ~ "8:*" as max in % axis right style line`.
 * The clauses may stand in any order, each once. FIELD is a field of the event, or cpu, task, pid, cgroup.
 */
export function parsePlot(text: string): Parsed<SeriesSpec> {
  return parsed(() => {
    const expression = parseExpressionPrefix(text, 0);
    const spec: SeriesSpec = {
      expr: printExpression(expression.ast),
      groupBy: '',
      where: '',
      aggregate: 'last',
      style: 'step',
      axis: 'left',
      unit: '',
    };
    const seen = new Set<string>();
    let at = expression.end;
    for (;;) {
      const keyword = wordAt(text, at);
      if (keyword.text === '') break;
      const clause = Object.hasOwn(clauses, keyword.text) ? clauses[keyword.text] : undefined;
      if (clause === undefined) {
        const message = `an operator or one of ${Object.keys(clauses).join(', ')} is expected here, not ${quoteAt(text, keyword.start)}`;
        throw new TextMistake(message, keyword.start, keyword.end - keyword.start);
      }
      if (seen.has(keyword.text)) {
        throw new TextMistake(
          `“${keyword.text}” stands here a second time`,
          keyword.start,
          keyword.end - keyword.start,
        );
      }
      seen.add(keyword.text);
      at = clause(text, keyword.end, spec);
    }
    return spec;
  });
}

/** The text of a series: parsing it gives the same spec. What has its default is left out. */
export function printPlot(spec: SeriesSpec): string {
  const parts = [spec.expr];
  if (spec.groupBy !== '') parts.push(`by ${quoteName(spec.groupBy)}`);
  if (spec.where.trim() !== '') parts.push(`where ${spec.where.trim()}`);
  if (spec.aggregate !== 'last') parts.push(`as ${spec.aggregate}`);
  if (spec.unit !== '') parts.push(`in ${spec.unit}`);
  if (spec.axis !== 'left') parts.push(`axis ${spec.axis}`);
  if (spec.style !== 'step') parts.push(`style ${spec.style}`);
  return parts.join('  ');
}

/** Reads what follows a keyword at `at` into the spec and gives its end. */
type ClauseReader = (text: string, at: number, spec: SeriesSpec) => number;

const clauses: Record<string, ClauseReader> = {
  by(text, at, spec) {
    const field = wordAt(text, at);
    if (!/^\w+$/.test(field.text) && !field.quoted) expected('a field, cpu, task, pid or cgroup', text, field);
    spec.groupBy = field.text;
    return field.end;
  },
  where(text, at, spec) {
    const { ast, end } = parseFilterPrefix(text, at);
    if (ast.clauses.length === 0) throw new TextMistake('a filter is expected here', at);
    spec.where = printFilter(ast);
    return end;
  },
  as: oneOf('aggregate', aggregates),
  in(text, at, spec) {
    const word = wordAt(text, at);
    const unit = findUnit(word.text);
    if (unit === null) expected(`a unit (${allUnits.join(', ')})`, text, word);
    spec.unit = unit;
    return word.end;
  },
  axis: oneOf('axis', ['left', 'right']),
  style: oneOf('style', seriesStyles),
};

function oneOf<K extends 'aggregate' | 'axis' | 'style'>(key: K, values: readonly SeriesSpec[K][]): ClauseReader {
  return (text, at, spec) => {
    const word = wordAt(text, at);
    const value = values.find((known) => known === word.text);
    if (value === undefined) expected(`one of ${values.join(', ')}`, text, word);
    spec[key] = value;
    return word.end;
  };
}

interface Word {
  text: string;
  start: number;
  end: number;
  quoted: boolean;
}

/** The text up to the next white space, or between backticks. */
function wordAt(text: string, at: number): Word {
  const start = at + (text.slice(at).match(/^\s*/) as RegExpMatchArray)[0].length;
  const quoted = /^`([^`]+)`/.exec(text.slice(start));
  if (quoted !== null) return { text: quoted[1], start, end: start + quoted[0].length, quoted: true };
  const word = (text.slice(start).match(/^\S*/) as RegExpMatchArray)[0];
  return { text: word, start, end: start + word.length, quoted: false };
}

function expected(what: string, text: string, word: Word): never {
  throw new TextMistake(
    `${what} is expected here, not ${quoteAt(text, word.start)}`,
    word.start,
    word.end - word.start,
  );
}
