import { type Parsed, parsed, quoteAt, TextMistake } from '../typed-text.ts';
import {
  type BinaryOp,
  binaryOps,
  type EventName,
  type Expression,
  type FunctionName,
  functionNames,
  precedence,
  type SeriesExpression,
  UNARY_PRECEDENCE,
} from './ast.ts';
import { lex, type Token } from './lex.ts';

/**
 * Series expressions:
 *
 *   expression := unary { operator unary }          C's precedence: || && == != < <= > >= + - * / %
 *   unary      := ('-' | '!' | '+') unary | primary
 *   primary    := number | field | call | '(' expression ')'
 *   call       := ('min' | 'max') '(' expression { ',' expression } ')' | ('abs' | 'delta' | 'rate') '(' expression ')'
 *   field      := [ [ system (':' | '/') ] event '.' ] name
 *   number     := 12 | 0x1f | 1.5e3 | 4k M G T (powers of 1000) | 4Ki Mi Gi Ti (powers of 1024)
 *
 * All fields belong to one event type, which at least one of them names: `writeback:balance_dirty_pages.dirty / limit`.
 * `a/b.c` without spaces is system/event.field where no event has been named yet, or where it names that same event again;
 * else it is a division. Names with other characters than letters, digits and _ stand in backticks.
 */
export function parseExpression(text: string, event?: EventName): Parsed<SeriesExpression> {
  return parsed(() => {
    const { ast, end } = parseExpressionPrefix(text, 0, event);
    if (text.slice(end).trim() !== '') {
      const at = end + text.slice(end).search(/\S/);
      throw new TextMistake(`an operator is expected here, not ${quoteAt(text, at)}`, at, 1);
    }
    return ast;
  });
}

/**
 * Parses as much of `text` from `start` on as is an expression; `end` is where it ends. `event` gives the event that bare
 * fields belong to, where the text need not name it. Throws TextMistake.
 */
export function parseExpressionPrefix(
  text: string,
  start: number,
  event?: EventName,
): { ast: SeriesExpression; end: number } {
  const parser = new Parser(text, start, event ?? null);
  const root = parser.expression(0);
  if (parser.event === null) {
    const first = parser.firstField;
    throw first === null
      ? new TextMistake('an expression reads at least one field, such as writeback:balance_dirty_pages.dirty', start)
      : new TextMistake(
          `which event has “${first.text}”? Write system:event.${first.text}`,
          first.start,
          first.end - first.start,
        );
  }
  return { ast: { event: parser.event, root }, end: parser.end };
}

const MAX_DEPTH = 200;

class Parser {
  readonly text: string;
  event: EventName | null;
  /** The first field without an event, for the message. */
  firstField: Token | null = null;
  /** End of the last token taken. */
  end: number;
  private next: Token;
  private depth = 0;

  constructor(text: string, start: number, event: EventName | null) {
    this.text = text;
    this.event = event;
    this.end = start;
    this.next = lex(text, start);
  }

  private take(): Token {
    const token = this.next;
    this.end = token.end;
    this.next = lex(this.text, token.end);
    return token;
  }

  private isOp(op: string): boolean {
    return this.next.kind === 'op' && this.next.text === op;
  }

  private expect(op: string, why: string): Token {
    if (!this.isOp(op)) this.fail(`“${op}” ${why}`);
    return this.take();
  }

  private fail(expected: string): never {
    const { start, end } = this.next;
    throw new TextMistake(`${expected} is expected here, not ${quoteAt(this.text, start)}`, start, end - start);
  }

  expression(above: number): Expression {
    if (++this.depth > MAX_DEPTH) throw new TextMistake('this is nested too deeply', this.next.start);
    let left = this.unary();
    while (this.next.kind === 'op' && (binaryOps as readonly string[]).includes(this.next.text)) {
      const op = this.next.text as BinaryOp;
      if (precedence[op] <= above) break;
      this.take();
      const right = this.expression(precedence[op]);
      left = { kind: 'binary', op, left, right, start: left.start, end: right.end };
    }
    this.depth--;
    return left;
  }

  private unary(): Expression {
    if (this.isOp('-') || this.isOp('!')) {
      const sign = this.take();
      const operand = this.expression(UNARY_PRECEDENCE);
      return { kind: 'unary', op: sign.text as '-' | '!', operand, start: sign.start, end: operand.end };
    }
    if (this.isOp('+')) {
      this.take();
      return this.expression(UNARY_PRECEDENCE);
    }
    return this.primary();
  }

  private primary(): Expression {
    if (this.isOp('(')) {
      const open = this.take();
      const inner = this.expression(0);
      const close = this.expect(')', 'to close the parenthesis');
      return { ...inner, start: open.start, end: close.end };
    }
    if (this.next.kind === 'number') {
      const { value, start, end } = this.take();
      if (!Number.isFinite(value)) throw new TextMistake('this number is too large', start, end - start);
      return { kind: 'number', value, start, end };
    }
    if (this.next.kind !== 'name') this.fail('a field, a number or “(”');
    const name = this.take();
    return this.isOp('(') ? this.call(name) : this.field(name);
  }

  private call(name: Token): Expression {
    if (!(functionNames as readonly string[]).includes(name.text)) {
      const message = `there is no function “${name.text}”; there are ${functionNames.join(', ')}`;
      throw new TextMistake(message, name.start, name.end - name.start);
    }
    this.take();
    const args = [this.expression(0)];
    while (this.isOp(',')) {
      this.take();
      args.push(this.expression(0));
    }
    const close = this.expect(')', `to close ${name.text}(`);
    const many = name.text === 'min' || name.text === 'max';
    if (many ? args.length < 2 : args.length > 1) {
      throw new TextMistake(
        `${name.text} takes ${many ? 'two or more arguments' : 'one argument'}`,
        name.start,
        close.end - name.start,
      );
    }
    return { kind: 'call', name: name.text as FunctionName, args, start: name.start, end: close.end };
  }

  private field(first: Token): Expression {
    const names = [first];
    if (this.isOp(':')) {
      this.take();
      names.push(this.name('the event'));
      this.expect('.', 'and a field of the event');
      names.push(this.name('a field'));
    } else if (this.isOp('.')) {
      this.take();
      names.push(this.name('a field'));
    } else if (this.isOp('/')) {
      const slashed = this.slashed(first);
      if (slashed !== null) {
        for (let taken = 0; taken < 4; taken++) this.take();
        names.push(...slashed);
      }
    }
    const field = names[names.length - 1];
    if (names.length === 1) this.firstField ??= first;
    else this.nameEvent(names.length === 3 ? names[0].text : null, names[names.length - 2].text, first, field);
    return { kind: 'field', field: field.text, start: first.start, end: field.end };
  }

  /** `first/event.field` without spaces, read as one name: see the grammar. The tokens are looked at, not taken. */
  private slashed(first: Token): [event: Token, field: Token] | null {
    const slash = this.next;
    const event = lex(this.text, slash.end);
    const dot = lex(this.text, event.end);
    const field = lex(this.text, dot.end);
    const adjacent =
      first.end === slash.start && slash.end === event.start && event.end === dot.start && dot.end === field.start;
    if (!adjacent || event.kind !== 'name' || dot.text !== '.' || dot.kind !== 'op' || field.kind !== 'name')
      return null;
    if (this.event === null) return [event, field];
    const again = event.text === this.event.event && (this.event.system ?? first.text) === first.text;
    return again ? [event, field] : null;
  }

  private name(what: string): Token {
    if (this.next.kind !== 'name') this.fail(what);
    return this.take();
  }

  private nameEvent(system: string | null, event: string, from: Token, to: Token): void {
    if (this.event === null) {
      this.event = { system, event };
      return;
    }
    const same = event === this.event.event && (system ?? this.event.system) === (this.event.system ?? system);
    if (!same) {
      const known = this.event.system === null ? this.event.event : `${this.event.system}:${this.event.event}`;
      const message = `one expression reads one event: ${known} here, so not ${system === null ? '' : `${system}:`}${event}`;
      throw new TextMistake(message, from.start, to.end - from.start);
    }
    if (this.event.system === null) this.event = { system, event };
  }
}
