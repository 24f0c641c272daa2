import { describe, expect, it } from 'vitest';
import { tableConditions } from '../../../electron/query/sql-conditions.ts';
import { sqlTokens } from '../../../electron/query/sql-tokens.ts';

const tables: Record<string, string> = {
  event: 'event',
  e2: 'e2',
  'sched:sched_switch': 'switch',
  sched_switch: 'switch',
};

/** Arithmetic for the test's own constants; the product asks SQLite. */
function constant(expression: string): number | null {
  const value: unknown = /^[\d+\-*() .ex]+$/i.test(expression) ? new Function(`return (${expression})`)() : null;
  return typeof value === 'number' ? value : null;
}

/** `table: column range | column range, …`, alternatives with `|`. */
function found(query: string): string[] {
  const conditions = tableConditions(query, sqlTokens(query), (name) => tables[name.toLowerCase()] ?? null, constant);
  return [...conditions].map(([table, lists]) => {
    const text = lists.map((list) =>
      list
        .map(({ column, min, max, anyOf }) => `${column} ${anyOf === null ? `${min}..${max}` : `{${[...anyOf]}}`}`)
        .join(', '),
    );
    return `${table}: ${text.join(' | ')}`;
  });
}

describe('conditions that are plain', () => {
  it.each([
    ['SELECT * FROM event WHERE ts > 5', 'event: ts 5..Infinity'],
    ['select * from EVENT where TS<=5', 'event: ts -Infinity..5'],
    ['SELECT * FROM event WHERE 5 <= ts AND ts < 1e3 + 2*10', 'event: ts 5..Infinity, ts -Infinity..1020'],
    ['SELECT * FROM event WHERE ts BETWEEN 1 AND -2 AND cpu = 3', 'event: ts 1..-2, cpu {3}'],
    ["SELECT * FROM event WHERE cpu IN (1, 2) AND name = 'a'", 'event: cpu {1,2}, name {a}'],
    ["SELECT * FROM event WHERE name IN ('a', 'b')", 'event: name {a,b}'],
    ['SELECT * FROM event e WHERE e.ts > 5', 'event: ts 5..Infinity'],
    ['SELECT * FROM event AS "e x" WHERE "e x"."ts" > 5', 'event: ts 5..Infinity'],
    ['SELECT * FROM main.event WHERE event.ts > 5', 'event: ts 5..Infinity'],
    ['SELECT * FROM event WHERE (ts > 5 AND (cpu = 1)) AND pid IS 7', 'event: ts 5..Infinity, cpu {1}, pid {7}'],
    [
      'SELECT count(*) FROM "sched:sched_switch" WHERE ts > 5 GROUP BY cpu HAVING ts > 9 ORDER BY 1',
      'switch: ts 5..Infinity',
    ],
    ['SELECT * FROM event e JOIN task t ON t.pid = e.pid WHERE e.ts > 5 AND t.pid = 3', 'event: ts 5..Infinity'],
    ['SELECT * FROM task t LEFT OUTER JOIN event e USING (pid) WHERE e.cpu = 1', 'event: cpu {1}'],
    ['SELECT * FROM event WHERE ts > 5 UNION ALL SELECT * FROM event WHERE cpu = 1', 'event: ts 5..Infinity | cpu {1}'],
    ['SELECT * FROM event a, event b WHERE a.ts > 5 AND b.ts < 3', 'event: ts 5..Infinity | ts -Infinity..3'],
    ['WITH x AS (SELECT * FROM event WHERE cpu = 1) SELECT * FROM x WHERE ts > 5', 'event: cpu {1}'],
    [
      'SELECT (SELECT max(ts) FROM event WHERE cpu = 1) FROM task WHERE pid IN (SELECT pid FROM e2 WHERE ts < 2)',
      'event: cpu {1}',
      'e2: ts -Infinity..2',
    ],
    ['SELECT a IS NOT DISTINCT FROM b FROM event WHERE ts > 5', 'event: ts 5..Infinity'],
    ["SELECT * FROM 'event' WHERE ts > 5", 'event: ts 5..Infinity'],
    ["SELECT * FROM event WHERE ts > 5 AND pid <> 3 AND comm LIKE 'a%' AND NOT cpu = 2", 'event: ts 5..Infinity'],
  ])('%s', (query, ...expected) => {
    expect(found(query)).toEqual(expected);
  });
});

describe('nothing is said where it is not certain', () => {
  it.each([
    'SELECT * FROM event',
    'SELECT * FROM event WHERE ts > 5 OR cpu = 1',
    'SELECT * FROM event WHERE (ts > 5 OR cpu = 1)',
    'SELECT * FROM event WHERE NOT ts > 5',
    'SELECT * FROM event WHERE NOT (ts > 5)',
    'SELECT * FROM event WHERE ts > 5 IS NULL',
    'SELECT * FROM event WHERE ts > 5 COLLATE nocase',
    'SELECT * FROM event WHERE ts + 1 > 5',
    'SELECT * FROM event WHERE -ts > 5',
    'SELECT * FROM event WHERE ts > cpu',
    'SELECT * FROM event WHERE ts > 5 = 0',
    'SELECT * FROM event WHERE 0 = ts > 5',
    'SELECT * FROM event WHERE ts NOT BETWEEN 1 AND 2',
    'SELECT * FROM event WHERE ts NOT IN (1, 2)',
    'SELECT * FROM event WHERE ts IS NOT 5',
    'SELECT * FROM event WHERE ts IS DISTINCT FROM 5',
    "SELECT * FROM event WHERE cpu IN (1, '2')",
    'SELECT * FROM event WHERE cpu IN (1, pid)',
    'SELECT * FROM event WHERE cpu IN (SELECT 1)',
    'SELECT * FROM event WHERE x BETWEEN 1 AND ts > 5',
    'SELECT * FROM event WHERE CASE WHEN cpu = 1 AND ts > 5 AND pid = 2 THEN 1 END',
    'SELECT * FROM event WHERE name = "sched_switch"',
    'SELECT * FROM event WHERE ts > ?1',
    // Another table may have the column.
    'SELECT * FROM event, task WHERE ts > 5',
    'SELECT * FROM event a, event b WHERE a.ts > 5',
    'SELECT * FROM event e, task e WHERE e.ts > 5',
    'SELECT * FROM event WHERE ts > 5 UNION SELECT * FROM event',
    'SELECT * FROM event WHERE ts > 5 AND pid IN (SELECT pid FROM event)',
    // The name means something else.
    'WITH event AS (SELECT 1 AS ts) SELECT * FROM event WHERE ts > 5',
    'SELECT ts AS event FROM event WHERE ts > 5',
    'SELECT * FROM event(1) WHERE ts > 5',
    'SELECT * FROM (SELECT 1 AS ts) AS event WHERE event.ts > 5',
    // Conditions of other clauses, and of what is inside parentheses.
    'SELECT count(*) FILTER (WHERE ts > 5) FROM event',
    'SELECT * FROM event HAVING ts > 5',
    'SELECT * FROM task t LEFT JOIN event e ON e.ts > 5',
    'SELECT * FROM event e WHERE EXISTS (SELECT 1 FROM task WHERE e.ts > 5)',
    'SELECT * FROM event WHERE window = 1 AND ts > 5 OR 1',
  ])('%s', (query) => {
    expect(found(query)).toEqual([]);
  });
});
