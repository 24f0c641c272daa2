import { isOperator, isWord, type SqlToken } from './sql-tokens.ts';

/**
 * What a query's text says about the rows of a table that can matter to its result, so that a scan need not produce the
 * others. SQLite hands virtual tables no ranges through better-sqlite3; this stands in for it.
 *
 * Sound, not complete: of every SELECT's WHERE, the comparisons of a column with a constant that are joined by AND at its top.
 * A row that fails one of them is in no result of this SELECT, whatever joins, nesting or aggregates there are: a comparison
 * is never true of the NULLs of an outer join either. SQLite still evaluates every condition. Where anything is unclear (a
 * name that could mean something else, an OR, a CASE), nothing is said.
 */
export interface Condition {
  /** As written, in lower case. */
  column: string;
  /** Only rows whose value lies in `[min, max]` matter; `<` is taken for `<=`. */
  min: number;
  max: number;
  /** Only rows with one of these values matter; null: the range alone counts. */
  anyOf: ReadonlySet<number | string> | null;
  /** True where the column is compared with text; else all values are numbers. */
  texts: boolean;
}

/** Value of a constant arithmetic expression, as SQLite computes it; null where it is no number that is exact here. */
export type Constant = (expression: string) => number | null;

/**
 * For each table, by the name that `resolve` gives it: one list of conditions for each place where the query reads it. A
 * row matters where it meets all conditions of one of the lists. Tables that are missing are read whole.
 */
export function tableConditions(
  text: string,
  tokens: readonly SqlToken[],
  resolve: (name: string) => string | null,
  constant: Constant,
): Map<string, Condition[][]> {
  const reader = new ConditionReader(text, tokens, resolve, constant);
  reader.group(0, tokens.length);
  const places = new Map<string, number>();
  tokens.forEach((token, i) => {
    // A qualifier is no place where a table is read. Text may be: SQLite takes it for a name where it must be one.
    if ((token.kind !== 'name' && token.kind !== 'text') || isOperator(tokens[i + 1], '.')) return;
    const table = resolve(token.value);
    if (table !== null) places.set(table, (places.get(table) ?? 0) + 1);
  });
  for (const [table, found] of reader.found) {
    const complete = found.length === places.get(table) && found.every((conditions) => conditions.length > 0);
    if (!complete) reader.found.delete(table);
  }
  return reader.found;
}

interface FromItem {
  /** Null: a subquery, a function, or a name that is none of ours. */
  table: string | null;
  /** What its columns are qualified with, lower case; empty where they cannot be. */
  alias: string;
}

const COMPARISONS = ['=', '==', '<', '<=', '>', '>='];
const MIRRORED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const JOIN_WORDS = ['join', 'left', 'right', 'full', 'inner', 'cross', 'natural', 'outer', 'on', 'using'];
const AFTER_FROM = ['where', 'group', 'having', 'order', 'limit', 'union', 'intersect', 'except'];

class ConditionReader {
  readonly found = new Map<string, Condition[][]>();
  readonly #text: string;
  readonly #tokens: readonly SqlToken[];
  readonly #resolve: (name: string) => string | null;
  readonly #constant: Constant;

  constructor(text: string, tokens: readonly SqlToken[], resolve: (name: string) => string | null, constant: Constant) {
    this.#text = text;
    this.#tokens = tokens;
    this.#resolve = resolve;
    this.#constant = constant;
  }

  #at(i: number): SqlToken | undefined {
    return this.#tokens[i];
  }

  /** Index behind the parenthesis that closes the one at `open`. */
  #close(open: number, end: number): number {
    let depth = 0;
    for (let i = open; i < end; i++) {
      if (isOperator(this.#at(i), '(')) depth++;
      else if (isOperator(this.#at(i), ')') && --depth === 0) return i + 1;
    }
    return end;
  }

  /** The tokens of `[from, to)` that are in no parentheses; an opening one stands for all it holds. */
  #level(from: number, to: number): number[] {
    const level: number[] = [];
    for (let i = from; i < to; ) {
      level.push(i);
      i = isOperator(this.#at(i), '(') ? this.#close(i, to) : i + 1;
    }
    return level;
  }

  /** What is inside one pair of parentheses, or the whole text: SELECTs, or something that may hold them. */
  group(from: number, to: number): void {
    const level = this.#level(from, to);
    for (const i of level) if (isOperator(this.#at(i), '(')) this.group(i + 1, this.#close(i, to) - 1);
    const selects = level.flatMap((i, k) => (isWord(this.#at(i), 'select') ? [k] : []));
    for (const [n, k] of selects.entries()) this.#select(level.slice(k + 1, selects[n + 1] ?? level.length), to);
  }

  /** One SELECT, up to the next one of the same compound. */
  #select(level: readonly number[], to: number): void {
    const word = (k: number, ...words: string[]): boolean => isWord(this.#at(level[k] as number), ...words);
    // `IS DISTINCT FROM` is no FROM.
    const from = level.findIndex((_, k) => word(k, 'from') && !(word(k - 1, 'distinct') && word(k - 2, 'is', 'not')));
    if (from < 0) return;
    const ends = (k: number): boolean => k >= level.length || word(k, ...AFTER_FROM);
    let fromEnd = from + 1;
    while (!ends(fromEnd)) fromEnd++;
    const items = this.#fromItems(level.slice(from + 1, fromEnd), to);
    let where: WrittenCondition[] = [];
    if (fromEnd < level.length && word(fromEnd, 'where')) {
      let end = fromEnd + 1;
      while (!ends(end)) end++;
      where = this.#conjuncts(level.slice(fromEnd + 1, end), end < level.length ? (level[end] as number) : to);
    }
    for (const item of items) {
      if (item.table === null) continue;
      const unique = items.filter(({ alias }) => alias === item.alias).length === 1;
      const own = where.filter(({ qualifier }) => (qualifier === null ? items.length === 1 : qualifier === item.alias));
      const list = this.found.get(item.table) ?? [];
      list.push(unique ? own.map(({ condition }) => condition) : []);
      this.found.set(item.table, list);
    }
  }

  /** The tables of a FROM clause in order, whatever joins them. */
  #fromItems(level: readonly number[], to: number): FromItem[] {
    const items: FromItem[] = [];
    let expected = true;
    for (let k = 0; k < level.length; k++) {
      const token = this.#at(level[k] as number);
      if (isOperator(token, ',') || isWord(token, 'join')) {
        expected = true;
        continue;
      }
      if (!expected || isWord(token, ...JOIN_WORDS)) continue;
      expected = false;
      let name = token;
      if (isOperator(this.#at(level[k + 1] ?? to), '.')) {
        k += 2;
        name = this.#at(level[k] ?? to);
      }
      const callOrGroup = isOperator(token, '(') || isOperator(this.#at(level[k + 1] ?? to), '(');
      const written = name?.kind === 'name' || name?.kind === 'text' ? name.value : null;
      let next = this.#at(level[k + 1] ?? to);
      if (isWord(next, 'as')) next = this.#at(level[++k + 1] ?? to);
      const named = next !== undefined && (next.kind === 'text' || next.kind === 'name') && k + 1 < level.length;
      const hasAlias = named && !isWord(next, ...JOIN_WORDS, 'indexed', 'not');
      if (hasAlias) k++;
      items.push({
        table: written === null || callOrGroup ? null : this.#resolve(written),
        alias: (hasAlias ? (next as SqlToken).value : (written ?? '')).toLowerCase(),
      });
    }
    return items;
  }

  /** The comparisons of an expression that must all hold; none where it is not plainly made of ANDs. */
  #conjuncts(level: readonly number[], to: number): WrittenCondition[] {
    if (level.some((i) => isWord(this.#at(i), 'or', 'case', 'window'))) return [];
    const found: WrittenCondition[] = [];
    let start = 0;
    let betweens = 0;
    for (let k = 0; k <= level.length; k++) {
      const token = k < level.length ? this.#at(level[k] as number) : undefined;
      if (isWord(token, 'between')) betweens++;
      const and = isWord(token, 'and');
      if (and && betweens > 0) betweens--;
      else if (and || token === undefined) {
        const part = level.slice(start, k);
        const end = k < level.length ? (level[k] as number) : to;
        const [only] = part;
        if (part.length === 1 && isOperator(this.#at(only as number), '(')) {
          const inside = this.#close(only as number, end) - 1;
          found.push(...this.#conjuncts(this.#level((only as number) + 1, inside), inside));
        } else {
          const comparison = this.#comparison(part, end);
          if (comparison !== null) found.push(comparison);
        }
        start = k + 1;
      }
    }
    return found;
  }

  /** `column = 3`, `3 < table.column`, `column BETWEEN 1 AND 2`, `column IN (1, 2)`; null for everything else. */
  #comparison(level: readonly number[], to: number): WrittenCondition | null {
    const operator = level.findIndex(
      (i) => isOperator(this.#at(i), ...COMPARISONS) || isWord(this.#at(i), 'is', 'between', 'in'),
    );
    if (operator < 0) return null;
    const token = this.#at(level[operator] as number) as SqlToken;
    const left = level.slice(0, operator);
    const right = level.slice(operator + 1);
    const column = this.#column(left);
    const op = token.value;
    if (op === 'between') {
      const and = right.findIndex((i) => isWord(this.#at(i), 'and'));
      const min = this.#number(right.slice(0, and), right[and] as number);
      const max = this.#number(right.slice(and + 1), to);
      return column === null || and < 0 || min === null || max === null ? null : condition(column, { min, max });
    }
    if (op === 'in') {
      const [open] = right;
      if (column === null || right.length !== 1 || !isOperator(this.#at(open as number), '(')) return null;
      const anyOf = this.#list((open as number) + 1, this.#close(open as number, to) - 1);
      const texts = anyOf?.filter((value) => typeof value === 'string').length ?? 0;
      if (anyOf === null || (texts > 0 && texts < anyOf.length)) return null;
      return condition(column, { anyOf: new Set(anyOf), texts: texts > 0 });
    }
    if (column !== null) return this.#compared(column, op, right, to);
    const mirrored = this.#column(right);
    if (mirrored === null || op === 'is') return null;
    return this.#compared(mirrored, MIRRORED[op] ?? op, left, level[operator] as number);
  }

  #compared(column: ColumnName, op: string, value: readonly number[], to: number): WrittenCondition | null {
    const only = value.length === 1 ? this.#at(value[0] as number) : undefined;
    if (only?.kind === 'text' && only.quoted && (op === '=' || op === '==' || op === 'is')) {
      return condition(column, { anyOf: new Set([only.value]), texts: true });
    }
    const number = this.#number(value, to);
    if (number === null) return null;
    if (op === '<' || op === '<=') return condition(column, { max: number });
    if (op === '>' || op === '>=') return condition(column, { min: number });
    return condition(column, { anyOf: new Set([number]) });
  }

  #list(from: number, to: number): (number | string)[] | null {
    const values: (number | string)[] = [];
    const level = this.#level(from, to);
    for (let k = 0, start = 0; k <= level.length; k++) {
      if (k < level.length && !isOperator(this.#at(level[k] as number), ',')) continue;
      const part = level.slice(start, k);
      const only = part.length === 1 ? this.#at(part[0] as number) : undefined;
      if (only?.kind === 'text' && only.quoted) values.push(only.value);
      else {
        const number = this.#number(part, k < level.length ? (level[k] as number) : to);
        if (number === null) return null;
        values.push(number);
      }
      start = k + 1;
    }
    return values;
  }

  #column(level: readonly number[]): ColumnName | null {
    const [first, dot, second] = level.map((i) => this.#at(i) as SqlToken);
    if (first?.kind !== 'name') return null;
    if (level.length === 1) return { qualifier: null, name: first.value.toLowerCase() };
    if (level.length !== 3 || !isOperator(dot, '.') || second?.kind !== 'name') return null;
    return { qualifier: first.value.toLowerCase(), name: second.value.toLowerCase() };
  }

  /** The value of what lies between the first token of `level` and `to`, if it is arithmetic with numbers only. */
  #number(level: readonly number[], to: number): number | null {
    const [first] = level;
    if (first === undefined) return null;
    for (let i = first; i < to; i++) {
      const token = this.#at(i);
      if (token?.kind !== 'number' && !isOperator(token, '+', '-', '*', '/', '%', '(', ')')) return null;
    }
    const last = this.#at(to - 1) as SqlToken;
    return this.#constant(this.#text.slice((this.#at(first) as SqlToken).at, last.end));
  }
}

interface ColumnName {
  qualifier: string | null;
  name: string;
}

/** A condition with the qualifier that its column was written with. */
interface WrittenCondition {
  qualifier: string | null;
  condition: Condition;
}

function condition({ qualifier, name }: ColumnName, limits: Partial<Omit<Condition, 'column'>>): WrittenCondition {
  const all = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY, anyOf: null, texts: false, ...limits };
  return { qualifier, condition: { column: name, ...all } };
}
