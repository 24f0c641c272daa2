import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsOf } from '../../../shared/expression/ast.ts';
import { parseExpression, parseExpressionPrefix } from '../../../shared/expression/parse.ts';
import { printExpression } from '../../../shared/expression/print.ts';
import { anyExpression, bare } from './generate.ts';

function ast(text: string) {
  const result = parseExpression(text);
  if (!result.ok) throw new Error(`${text}: ${result.error.message} at ${result.error.position}`);
  return result.ast;
}
const canonical = (text: string) => printExpression(ast(text));

describe('expressions', () => {
  it.each([
    ['writeback:balance_dirty_pages.dirty', 'writeback:balance_dirty_pages.dirty'],
    ['writeback/balance_dirty_pages.dirty', 'writeback:balance_dirty_pages.dirty'],
    ['balance_dirty_pages.dirty', 'balance_dirty_pages.dirty'],
    ['w:b.dirty / limit', 'w:b.dirty / limit'],
    ['w:b.dirty / w:b.limit', 'w:b.dirty / limit'],
    ['w/b.dirty/w/b.limit', 'w:b.dirty / limit'],
    ['w/b.dirty/limit', 'w:b.dirty / limit'],
    ['w:b.dirty/b.limit', 'w:b.dirty / limit'],
    ['w:b.x + dirty/b.limit', 'w:b.x + dirty / limit'],
    ['b.dirty / w:b.limit', 'w:b.dirty / limit'],
    ['limit - w:b.dirty', 'w:b.limit - dirty'],
    ['w:b.x * (1 + 2) - 3', 'w:b.x * (1 + 2) - 3'],
    ['w:b.x - (1 - 2)', 'w:b.x - (1 - 2)'],
    ['(w:b.x - 1) - 2', 'w:b.x - 1 - 2'],
    ['!(w:b.x < 1 && 2 == 3) || -x', '!(w:b.x < 1 && 2 == 3) || -x'],
    ['- -w:b.x', '--w:b.x'],
    ['+w:b.x', 'w:b.x'],
    ['min(w:b.x,1 , max(x, 2))', 'min(w:b.x, 1, max(x, 2))'],
    ['rate(w:b.x)', 'rate(w:b.x)'],
    ['w:b.min / max', 'w:b.min / max'],
    ['9p:9p_client_req.tag', '9p:9p_client_req.tag'],
    ['`my-sys`:b.`odd field`', '`my-sys`:b.`odd field`'],
    ['w:b.x * 0x10 + 4k + 2Ki + 1.5e3 + .5', 'w:b.x * 16 + 4000 + 2048 + 1500 + 0.5'],
  ])('%s', (text, printed) => expect(canonical(text)).toBe(printed));

  it('reads the event once and every field', () => {
    const parsed = ast('writeback:balance_dirty_pages.dirty / limit + dirty');
    expect(parsed.event).toEqual({ system: 'writeback', event: 'balance_dirty_pages' });
    expect(fieldsOf(parsed)).toEqual(['dirty', 'limit']);
  });

  it('takes the event from the context where the text does not name one', () => {
    const result = parseExpression('dirty / limit', { system: 'writeback', event: 'balance_dirty_pages' });
    expect(result.ok && printExpression(result.ast)).toBe('writeback:balance_dirty_pages.dirty / limit');
    expect(parseExpression('a:b.x', { system: 'writeback', event: 'balance_dirty_pages' }).ok).toBe(false);
  });

  it('keeps positions, parentheses included', () => {
    const { root } = ast('1 + (w:b.x)');
    expect(root).toMatchObject({ start: 0, end: 11, right: { kind: 'field', start: 4, end: 11 } });
  });

  it('stops where the expression ends', () => {
    const text = 'w:b.dirty / limit by cgroup where bdi ~ "8:*"';
    expect(text.slice(parseExpressionPrefix(text, 0).end)).toBe(' by cgroup where bdi ~ "8:*"');
    const quoted = 'w:b.dirty "x"';
    expect(quoted.slice(parseExpressionPrefix(quoted, 0).end)).toBe(' "x"');
  });

  it('parses what it prints', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const text = printExpression(expression);
        const again = parseExpression(text);
        expect(again.ok, text).toBe(true);
        if (again.ok) expect(bare(again.ast), text).toEqual(bare(expression));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('mistakes', () => {
  it.each([
    ['', 0, /a field, a number or “\(” is expected here, not the end/],
    ['w:b.x +', 7, /not the end/],
    ['w:b.x + )', 8, /not “\)”/],
    ['(w:b.x', 6, /“\)” to close/],
    ['w:b.x y', 6, /an operator is expected here, not “y”/],
    ['w:b.x # 3', 6, /operator/],
    ['dirty / limit', 0, /which event has “dirty”\? Write system:event\.dirty/],
    ['1 + 2', 0, /reads at least one field/],
    ['w:b.x + v:c.y', 8, /one expression reads one event: w:b here, so not v:c/],
    ['w:b.x + c.y', 8, /so not c/],
    ['w:b', 3, /“\.” and a field/],
    ['w:b.', 4, /a field is expected here, not the end/],
    ['w:.x', 2, /the event/],
    ['sqrt(w:b.x)', 0, /no function “sqrt”; there are min, max/],
    ['abs(w:b.x, 1)', 0, /one argument/],
    ['min(w:b.x)', 0, /two or more/],
    ['w:b.`x', 4, /no closing/],
    ['w:b.x + 1e999', 8, /too large/],
    [`${'('.repeat(1000)}w:b.x`, 200, /too deeply/],
  ])('%j', (text, position, message) => {
    const result = parseExpression(text);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.error.message).toMatch(message);
    expect(result.error.position).toBe(position);
  });

  it('never throws, whatever is typed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[wbx:./()+*!<>=&|,`0-9 -]*$/)), (text) => {
        const result = parseExpression(text);
        if (!result.ok) {
          expect(result.error.position).toBeGreaterThanOrEqual(0);
          expect(result.error.position + result.error.length).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
