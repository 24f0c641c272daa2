import { RemoraError } from '../../shared/errors.ts';
import { didYouMean } from './near-names.ts';
import type { SqlTables } from './sql-tables.ts';
import { type SqlToken, sqlTokens } from './sql-tokens.ts';

/**
 * SQLite's complaints about a query as RemoraError `bad-expression`, with the position where it can be told and what was
 * probably meant. better-sqlite3 gives the message alone, so the place is found again in the text.
 */
export function sqlError(
  error: unknown,
  query: string,
  tables: SqlTables,
  tryPrepare: (text: string) => void,
): RemoraError {
  if (error instanceof RemoraError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const tokens = sqlTokens(query);
  const bad = (text: string, position?: number): RemoraError =>
    new RemoraError(
      { code: 'bad-expression', message: `SQL: ${text}`, ...(position === undefined ? {} : { position }) },
      { cause: error },
    );

  if (message.includes('more than one statement')) {
    const end = tokens.findIndex(({ kind, value }) => kind === 'operator' && value === ';');
    return bad('one statement at a time', tokens[end + 1]?.at);
  }
  if (message.includes('contains no statements')) return bad('the query is empty', 0);
  if (message === 'incomplete input') return bad('the query ends too early', query.length);
  const near = /^near "([\s\S]*)": syntax error$/.exec(message)?.[1];
  if (near !== undefined) return bad(message, syntaxErrorAt(query, tokens, near, message, tryPrepare));
  const unread = /^unrecognized token: "([\s\S]*)"$/.exec(message)?.[1];
  if (unread !== undefined) return bad(message, found(query.indexOf(unread)));
  const named = /^(no such (?:table|column|function)|ambiguous column name): (.+?)(?: - should this .*)?$/.exec(
    message,
  );
  if (named === null) return bad(message);
  const [, what, name] = named as unknown as [string, string, string];
  const position = nameAt(tokens, name);
  if (what === 'no such table')
    return bad(`${message}${didYouMean(name, tables.knownNames(), identifier) || '.'} ${LIST_TABLES}`, position);
  if (what === 'no such column') return bad(`${message}${columnHint(name, tokens, tables)}`, position);
  return bad(message, position);
}

const LIST_TABLES = 'SELECT name FROM remora_tables lists the tables; names with a colon stand in double quotes';

const found = (position: number): number | undefined => (position < 0 ? undefined : position);

/** The first place where this token is and the text up to it fails in the same way. */
function syntaxErrorAt(
  query: string,
  tokens: readonly SqlToken[],
  near: string,
  message: string,
  tryPrepare: (text: string) => void,
): number | undefined {
  for (const { at, end } of tokens) {
    if (query.slice(at, end) !== near) continue;
    try {
      tryPrepare(query.slice(0, end));
    } catch (error) {
      if (error instanceof Error && error.message === message) return at;
    }
  }
  return undefined;
}

function nameAt(tokens: readonly SqlToken[], name: string): number | undefined {
  const same = (token: SqlToken, wanted: string): boolean =>
    (token.kind === 'name' || token.kind === 'text') && token.value.toLowerCase() === wanted.toLowerCase();
  const bare = name.replace(/^"(.*)"$/, '$1');
  // A qualified name is several tokens: the last is the column.
  const last = bare.split('.').at(-1) as string;
  return (tokens.find((token) => same(token, bare)) ?? tokens.find((token) => same(token, last)))?.at;
}

/** The tables that a query names, with their columns. */
function columnHint(name: string, tokens: readonly SqlToken[], tables: SqlTables): string {
  const last = name.split('.').at(-1) as string;
  const read = [
    ...new Set(
      tokens
        .filter(({ kind }) => kind === 'name')
        .map(({ value }) => tables.resolve(value))
        .filter((table) => table !== null),
    ),
  ];
  const hint = didYouMean(
    last,
    read.flatMap((table) => tables.columnNames(table)),
    identifier,
  );
  if (hint !== '' || read.length === 0) return hint;
  return `. ${read.map((table) => `"${table}" has ${tables.columnNames(table).join(', ')}`).join('; ')}`;
}

/** As SQL takes a name: in quotes where it is no plain word. */
const identifier = (name: string): string => (/^\w+$/.test(name) ? name : `"${name}"`);
