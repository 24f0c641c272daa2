import { type Parsed, parsed, quoteAt, TextMistake } from '../typed-text.ts';
import {
  type Clause,
  type CompareOp,
  type Condition,
  compareOps,
  type EventPattern,
  type Filter,
  isTimeName,
  type Value,
  virtualFields,
} from './ast.ts';
import { lex, type Token } from './lex.ts';
import { parseNumber, parseTime } from './literals.ts';
import { nameRegex, searchRegex } from './patterns.ts';

/**
 * The one filter language: trace-cmd's (libtraceevent's parse-filter.c) and the kernel's (trace_events_filter.c), made one.
 *
 *   filter    := clause { (';' | ',') clause }            an event passes if any clause lets it pass
 *   clause    := events ':' condition | events | condition
 *   events    := pattern { ',' pattern }
 *   pattern   := system ('/' | ':') event | system or event         regular expressions or globs, whole names, any case
 *   condition := condition '||' condition | condition '&&' condition | '!' condition | '(' condition ')' | test
 *   test      := field op value | value op field
 *   op        := '==' '=' '!=' '<' '<=' '>' '>=' '&' (any of these bits) '~' (glob) '=~' (regex) '!~' (regex does not match)
 *   value     := number (12, 0x1f, 0755, -5) | "string" | 'string' | word
 *   field     := one of the event's, or cpu pid task cgroup event system info time
 *
 * `&&` binds tighter than `||`, `!` applies to the one test or parenthesis behind it, as in the kernel. A test of a field that the event
 * does not have is false. `~` is the kernel's glob over the whole text; `=~` and `!~` are trace-cmd's, anywhere in the text and
 * in any case. A word without quotes is a field of the event if there is one of that name, else text (`comm == bash`).
 * `time` is in seconds as the trace prints them; `time > +1.5s` counts from the start; ms, us and ns are understood.
 */
export function parseFilter(text: string): Parsed<Filter> {
  return parsed(() => {
    const { ast, end } = parseFilterPrefix(text, 0);
    const rest = text.slice(end).search(/\S/);
    if (rest >= 0) {
      throw new TextMistake(`“&&”, “||” or the end is expected here, not ${quoteAt(text, end + rest)}`, end + rest, 1);
    }
    return ast;
  });
}

/** Parses as much of `text` from `start` on as is a filter; `end` is where it ends. Throws TextMistake. */
export function parseFilterPrefix(text: string, start: number): { ast: Filter; end: number } {
  const clauses: Clause[] = [];
  if (text.slice(start).trim() === '') return { ast: { clauses }, end: start };
  let at = start;
  for (;;) {
    const parser = new ClauseParser(text, at);
    clauses.push(parser.clause());
    at = parser.end;
    const separator = lex(text, at);
    if (separator.kind !== 'op' || (separator.text !== ';' && separator.text !== ',')) break;
    // A last separator ends the filter: people leave them behind.
    if (text.slice(separator.end).trim() === '') return { ast: { clauses }, end: separator.end };
    at = separator.end;
  }
  return { ast: { clauses }, end: at };
}

const namePattern = '[^\\s,:;/"\'=<>&~!]+';
const eventPattern = `${namePattern}(?:[/:]${namePattern})?`;
/** The events of a clause: patterns up to a colon, or up to the end of a clause that has no condition. */
const eventsAhead = new RegExp(`\\s*${eventPattern}(?:\\s*,\\s*${eventPattern})*\\s*(?::|(?=;|$))`, 'y');

const mirrored: Partial<Record<CompareOp, CompareOp>> = {
  '==': '==',
  '!=': '!=',
  '&': '&',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const MAX_DEPTH = 200;

class ClauseParser {
  /** End of the last token taken. */
  end: number;
  private readonly text: string;
  private next: Token;
  private depth = 0;

  constructor(text: string, start: number) {
    this.text = text;
    this.end = start;
    this.next = lex(text, start);
  }

  clause(): Clause {
    const start = this.next.start;
    const events = this.events();
    const onlyEvents = events.length > 0 && (this.next.kind === 'end' || this.isOp(';') || this.isOp(','));
    const condition = onlyEvents ? null : this.or();
    return { events, condition, start, end: this.end };
  }

  private events(): EventPattern[] {
    eventsAhead.lastIndex = this.end;
    const found = eventsAhead.exec(this.text)?.[0];
    if (found === undefined) return [];
    const list = found.endsWith(':') ? found.slice(0, -1) : found;
    const only = list.trim();
    if (list === found && (virtualFields as readonly string[]).includes(only)) {
      throw new TextMistake(`“${only}” needs a comparison, such as ${only} == …`, this.next.start, only.length);
    }
    const patterns: EventPattern[] = [];
    let at = this.end;
    for (const part of list.split(',')) {
      const start = at + part.search(/\S/);
      const [first, second] = part.trim().split(/[/:]/);
      const names = second === undefined ? { system: null, event: first } : { system: first, event: second };
      const pattern = { ...names, start, end: start + part.trim().length };
      for (const name of [first, second ?? '']) this.checkRegex(() => nameRegex(name), pattern.start, pattern.end);
      patterns.push(pattern);
      at += part.length + 1;
    }
    this.end += found.length;
    this.next = lex(this.text, this.end);
    return patterns;
  }

  private checkRegex(make: () => RegExp, start: number, end: number): void {
    try {
      make();
    } catch (error) {
      throw new TextMistake(`this is no regular expression: ${(error as Error).message}`, start, end - start);
    }
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

  private fail(expected: string, found: Token = this.next): never {
    const { start, end } = found;
    throw new TextMistake(`${expected} is expected here, not ${quoteAt(this.text, start)}`, start, end - start);
  }

  private or(): Condition {
    let left = this.and();
    while (this.isOp('||')) {
      this.take();
      const right = this.and();
      left = { kind: 'or', left, right, start: left.start, end: right.end };
    }
    return left;
  }

  private and(): Condition {
    let left = this.not();
    while (this.isOp('&&')) {
      this.take();
      const right = this.not();
      left = { kind: 'and', left, right, start: left.start, end: right.end };
    }
    return left;
  }

  private not(): Condition {
    if (++this.depth > MAX_DEPTH) throw new TextMistake('this is nested too deeply', this.next.start);
    const condition = this.isOp('!') ? this.negation() : this.isOp('(') ? this.parenthesis() : this.test();
    this.depth--;
    return condition;
  }

  private negation(): Condition {
    const { start } = this.take();
    const operand = this.not();
    return { kind: 'not', operand, start, end: operand.end };
  }

  private parenthesis(): Condition {
    const { start } = this.take();
    const inner = this.or();
    if (!this.isOp(')')) this.fail('“&&”, “||” or “)”');
    return { ...inner, start, end: this.take().end };
  }

  private test(): Condition {
    if (this.next.kind !== 'word' && this.next.kind !== 'text') this.fail('a field, “!” or “(”');
    const left = this.take();
    const op = this.compareOp();
    const right = this.take();
    if (right.kind !== 'word' && right.kind !== 'text') this.fail('a number, a string or a field', right);
    if (isField(left)) return this.compare(left, op, right, left, right);
    const mirror = mirrored[op];
    if (mirror === undefined || !isField(right)) {
      throw new TextMistake('a field is expected on the left', left.start, left.end - left.start);
    }
    return this.compare(right, mirror, left, left, right);
  }

  private compareOp(): CompareOp {
    const { kind, text } = this.next;
    const op = compareOps.find((known) => known === (text === '=' ? '==' : text));
    if (kind !== 'op' || op === undefined) this.fail('a comparison (== != < <= > >= & ~ =~ !~)');
    this.take();
    return op;
  }

  private compare(field: Token, op: CompareOp, token: Token, first: Token, last: Token): Condition {
    const value = this.value(field.text, token);
    if (op === '=~' || op === '!~') {
      const pattern = value.kind === 'word' ? value.name : value.text;
      this.checkRegex(() => searchRegex(pattern), token.start, token.end);
    }
    if (value.kind === 'text' && !['==', '!=', '~', '=~', '!~'].includes(op)) {
      throw new TextMistake(`“${op}” compares numbers, not strings`, token.start, token.end - token.start);
    }
    if (op === '&' && value.kind === 'number' && !Number.isInteger(value.value)) {
      throw new TextMistake('“&” tests the bits of a whole number', token.start, token.end - token.start);
    }
    return { kind: 'compare', field: field.text, op, value, start: first.start, end: last.end };
  }

  private value(field: string, token: Token): Value {
    const { start, end } = token;
    if (isTimeName(field)) {
      // libtraceevent's TIMESTAMP counts ns, where no unit says otherwise.
      const bare = field === 'TIMESTAMP' && /^\d+$/.test(token.text);
      const time = parseTime(bare ? `${token.text}ns` : token.text);
      if (time !== null) return { ...time, text: token.text, start, end };
    }
    if (token.kind === 'text') return { kind: 'text', text: token.text, start, end };
    const number = parseNumber(token.text);
    if (number !== null) return { ...number, start, end };
    if (isTimeName(field)) {
      throw new TextMistake(
        'a time is seconds (56.41), from the start (+1.5s), or has ms, us or ns',
        start,
        end - start,
      );
    }
    return { kind: 'word', name: token.text, start, end };
  }
}

const isField = (token: Token): boolean => token.kind === 'word' && /^[A-Za-z_]\w*$/.test(token.text);
