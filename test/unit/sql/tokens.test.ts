import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isWord, sqlTokens } from '../../../electron/query/sql-tokens.ts';

const values = (text: string): string[] => sqlTokens(text).map(({ kind, value }) => `${kind} ${value}`);

it('cuts a query as SQLite does', () => {
  expect(
    values(`SELECT "a ""b", [c d], \`e\` FROM t -- comment\n WHERE x >= 0x1F AND y='it''s' /* ; */ AND z<>1.5e-3`),
  ).toEqual([
    'name select',
    'name a "b',
    'operator ,',
    'name c d',
    'operator ,',
    'name e',
    'name from',
    'name t',
    'name where',
    'name x',
    'operator >=',
    'number 0x1F',
    'name and',
    'name y',
    'operator =',
    "text it's",
    'name and',
    'name z',
    'operator <>',
    'number 1.5e-3',
  ]);
  expect(values("x'0f' ?1 :a ->> 1_000 .5")).toEqual([
    "text x'0f'",
    'parameter ?1',
    'parameter :a',
    'operator ->>',
    'number 1_000',
    'number .5',
  ]);
});

it('a quoted name is no keyword', () => {
  const [bare, quoted] = sqlTokens('select "select"');
  expect([isWord(bare, 'select'), isWord(quoted, 'select')]).toEqual([true, false]);
});

it('loses nothing of any text but space and comments, and never fails', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const tokens = sqlTokens(text);
      let at = 0;
      for (const token of tokens) {
        expect(token.at).toBeGreaterThanOrEqual(at);
        expect(token.end).toBeGreaterThan(token.at);
        expect(text.slice(at, token.at)).toMatch(/^([ \t\n\f\r]|--[^\n]*|\/\*[\s\S]*?\*\/)*$/);
        at = token.end;
      }
      expect(text.slice(at)).toMatch(/^([ \t\n\f\r]|--[^\n]*|\/\*[\s\S]*?(\*\/|$))*$/);
    }),
  );
});
