import type { EventFormat, FieldFormat } from '../event-format.ts';
import type { TraceAbi } from '../recording.ts';
import { BINARY, become, constantText, flagValue, fold, priorityOf } from './operators.ts';
import { printFunctions } from './plugins/functions.ts';
import type { Arg, NamedValue, Operation, PrintFmt } from './syntax.ts';
import { is, type Token, Tokens } from './tokens.ts';

/**
 * Reads `print fmt: "format", argument, …` as libtraceevent 1.8 does (event-parse.c: event_read_print), its bindings
 * and refusals included: what it cannot read it prints field by field, and so must we. Null: it cannot.
 */
export function parsePrintFmt(event: EventFormat, abi: TraceAbi): PrintFmt | null {
  try {
    return new Parser(event, abi).printFmt();
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/** The print format is not one that libtraceevent reads. */
class Refused extends Error {}

/** Deeper nesting than any print format has; damaged ones must not exhaust the stack. */
const DEEPEST = 500;

/**
 * One token ahead: every method that reads an argument returns the token behind it. Arguments are changed in place as
 * operators are met, because how an operator binds depends on what stands behind its operands.
 */
class Parser {
  readonly #event: EventFormat;
  readonly #abi: TraceAbi;
  readonly #tokens: Tokens;
  #depth = 0;

  constructor(event: EventFormat, abi: TraceAbi) {
    this.#event = event;
    this.#abi = abi;
    this.#tokens = new Tokens(event.printFmt);
  }

  printFmt(): PrintFmt {
    let token = this.#tokens.next();
    if (token.kind !== 'string') throw new Refused();
    let format = token.text;
    token = this.#tokens.nextItem();
    while (token.kind === 'string') {
      format += token.text;
      token = this.#tokens.nextItem();
    }
    if (token.kind === 'end') return { format, args: [] };
    if (!is(token, 'delimiter', ',')) throw new Refused();

    const args: Arg[] = [];
    for (;;) {
      const arg: Arg = { kind: 'none' };
      args.push(arg);
      token = this.#argument(arg);
      if (token.kind === 'operator') {
        token = this.#operator(arg, token);
        fold(arg);
      } else if (!is(token, 'delimiter', ',')) break;
      while (token.kind === 'newline') token = this.#tokens.nextItem();
      if (token.kind === 'end') break;
    }
    return { format, args };
  }

  #argument(arg: Arg): Token {
    return this.#argumentFrom(arg, this.#tokens.next());
  }

  #argumentFrom(arg: Arg, token: Token): Token {
    if (++this.#depth > DEEPEST) throw new Refused();
    const next = this.#readArgument(arg, token);
    this.#depth--;
    return next;
  }

  #readArgument(arg: Arg, token: Token): Token {
    switch (token.kind) {
      case 'item': {
        if (token.text === 'REC') return this.#field(arg);
        let next = this.#tokens.nextItem();
        if (is(next, 'delimiter', '(')) return this.#call(arg, token.text);
        let text = token.text;
        for (; next.kind === 'item'; next = this.#tokens.nextItem()) text += ` ${next.text}`;
        become(arg, { kind: 'atom', text });
        return next;
      }
      case 'character':
        become(arg, { kind: 'atom', text: String(token.text.charCodeAt(0) || 0) });
        return this.#tokens.nextItem();
      case 'string':
        become(arg, { kind: 'atom', text: token.text });
        return this.#tokens.nextItem();
      case 'delimiter':
        if (token.text === '(') return this.#parenthesis(arg);
        throw new Refused();
      case 'operator': {
        if (!['~', '!', '+', '-'].includes(token.text)) throw new Refused();
        const right: Arg = { kind: 'none' };
        become(arg, { kind: 'operation', operator: token.text, left: { kind: 'none' }, right });
        return this.#following(arg, 0, right, this.#argument(right));
      }
      default:
        throw new Refused();
    }
  }

  /** An operator behind `arg`: `arg` becomes the operation. Returns the token behind it. */
  #operator(arg: Arg, token: Token): Token {
    if (++this.#depth > DEEPEST) throw new Refused();
    const next = this.#readOperator(arg, token);
    this.#depth--;
    return next;
  }

  #readOperator(arg: Arg, token: Token): Token {
    const left = { ...arg };
    if (token.text === '?') return this.#following(arg, 0, null, this.#conditional(arg, left));
    if (token.text === '[') {
      const index: Arg = { kind: 'none' };
      const closing = this.#argument(index);
      if (!is(closing, 'operator', ']')) throw new Refused();
      become(arg, { kind: 'operation', operator: '[', left, right: index });
      return this.#following(arg, 0, null, this.#tokens.nextItem());
    }
    if (!BINARY.has(token.text)) throw new Refused();

    let next = this.#tokens.nextItem();
    if (token.text === '*' && is(next, 'delimiter', ')')) {
      // No product: the type in front is a pointer.
      if (left.kind !== 'atom') throw new Refused();
      become(arg, { kind: 'atom', text: `${left.text} *` });
      return next;
    }
    const right: Arg = { kind: 'none' };
    next = this.#argumentFrom(right, next);
    const priority = left.kind === 'none' ? 0 : priorityOf(token.text);
    const rightOperation = asOperation(right);
    if (rightOperation !== null && priorityOf(token.text) < priorityOf(rightOperation.operator)) {
      // The right side binds looser, even from inside parentheses: it becomes the root, and what now stands on its
      // left is where operators that follow go on.
      const inner: Arg = { kind: 'operation', operator: token.text, left, right: rightOperation.left };
      const root: Operation = { ...rightOperation, left: inner };
      become(arg, root);
      return this.#following(arg, priorityWithin(root), inner, next);
    }
    become(arg, { kind: 'operation', operator: token.text, left, right });
    return this.#following(arg, priority, right, next);
  }

  /** A further operator binds to the whole operation or, where it is tighter, to its right side. */
  #following(arg: Arg, priority: number, right: Arg | null, next: Token): Token {
    if (next.kind !== 'operator' || next.text === ':') return next;
    const following = priorityOf(next.text);
    if (following > priority) return this.#operator(arg, next);
    // `[` has no priority and so binds to the right side, if there is one.
    if (right === null) throw new Refused();
    return this.#operator(right, next);
  }

  /** Behind `condition ?`. */
  #conditional(arg: Arg, condition: Arg): Token {
    const yes: Arg = { kind: 'none' };
    let token = this.#argument(yes);
    while (token.kind === 'operator' && token.text !== ':') token = this.#operator(yes, token);
    if (!is(token, 'operator', ':')) throw new Refused();
    const no: Arg = { kind: 'none' };
    token = this.#argument(no);
    const branches: Arg = { kind: 'operation', operator: ':', left: yes, right: no };
    become(arg, { kind: 'operation', operator: '?', left: condition, right: branches });
    return token;
  }

  /** Behind `(`: a parenthesis, or a cast with what it applies to. */
  #parenthesis(arg: Arg): Token {
    let token = this.#argument(arg);
    if (token.kind === 'operator') token = this.#operator(arg, token);
    // `(REC)->field`.
    if (is(token, 'item', ')')) return this.#field(arg);
    if (!is(token, 'delimiter', ')')) throw new Refused();
    token = this.#tokens.nextItem();
    const applies = ['item', 'string', 'character'].includes(token.kind) || is(token, 'delimiter', '(');
    if (!applies) return token;
    if (arg.kind !== 'atom') throw new Refused();
    const value: Arg = { kind: 'none' };
    const { text } = arg;
    const next = this.#argumentFrom(value, token);
    become(arg, { kind: 'cast', type: text, value });
    return next;
  }

  /** Behind `REC`. */
  #field(arg: Arg): Token {
    const arrow = this.#tokens.nextItem();
    if (is(arrow, 'delimiter', ')')) return { kind: 'item', text: ')' };
    if (!is(arrow, 'operator', '->')) throw new Refused();
    const name = this.#item();
    become(arg, { kind: 'field', name, field: this.#anyField(name) });
    return this.#tokens.next();
  }

  #call(arg: Arg, name: string): Token {
    switch (name) {
      case '__print_flags':
        return this.#flags(arg);
      case '__print_symbolic':
        return this.#symbolic(arg);
      case '__print_hex':
      case '__print_hex_str': {
        const data = this.#parameter(',');
        become(arg, { kind: 'hex', spaced: name === '__print_hex', data, size: this.#parameter(')') });
        return this.#tokens.nextItem();
      }
      case '__print_array': {
        const data = this.#parameter(',');
        const count = this.#parameter(',');
        become(arg, { kind: 'int-array', data, count, elementSize: this.#parameter(')') });
        return this.#tokens.nextItem();
      }
      case '__get_str':
      case '__get_rel_str':
        become(arg, { kind: 'string', name: this.#nameParameter() });
        return this.#tokens.next();
      case '__get_bitmask':
      case '__get_rel_bitmask':
        become(arg, { kind: 'bitmask', name: this.#nameParameter() });
        return this.#tokens.next();
      case '__get_cpumask':
      case '__get_rel_cpumask':
        become(arg, { kind: 'cpumask', name: this.#nameParameter() });
        return this.#tokens.next();
      case '__get_dynamic_array':
      case '__get_rel_dynamic_array':
      case '__get_sockaddr':
      case '__get_sockaddr_rel': {
        become(arg, { kind: 'dynamic-array', field: this.#ownField(this.#nameParameter()) });
        const next = this.#tokens.nextItem();
        if (is(next, 'operator', '[')) throw new Refused();
        return next;
      }
      case '__get_dynamic_array_len':
      case '__get_rel_dynamic_array_len':
        become(arg, { kind: 'dynamic-array-length', field: this.#ownField(this.#nameParameter()) });
        return this.#tokens.next();
      case '__builtin_expect': {
        const comma = this.#argument(arg);
        if (!is(comma, 'delimiter', ',')) throw new Refused();
        this.#nameParameter();
        return this.#tokens.nextItem();
      }
      case 'sizeof':
        return this.#sizeof(arg);
      default:
        return this.#printFunction(arg, name);
    }
  }

  #flags(arg: Arg): Token {
    const value: Arg = { kind: 'none' };
    let token = this.#argument(value);
    while (token.kind === 'operator') token = this.#operator(value, token);
    if (!is(token, 'delimiter', ',')) throw new Refused();
    token = this.#tokens.nextItem();
    let delimiter: string | null = null;
    if (['item', 'string', 'character'].includes(token.kind)) {
      delimiter = token.text;
      token = this.#tokens.nextItem();
    }
    if (!is(token, 'delimiter', ',')) throw new Refused();
    become(arg, { kind: 'flags', value, delimiter, names: this.#names() });
    return this.#tokens.nextItem();
  }

  #symbolic(arg: Arg): Token {
    const value: Arg = { kind: 'none' };
    let token = this.#argument(value);
    while (token.kind === 'operator') token = this.#operator(value, token);
    if (!is(token, 'delimiter', ',')) throw new Refused();
    become(arg, { kind: 'symbolic', value, names: this.#names() });
    return this.#tokens.nextItem();
  }

  /** `{ value, "name" }, …` up to the closing parenthesis. */
  #names(): NamedValue[] {
    const names: NamedValue[] = [];
    let token: Token;
    do {
      token = this.#tokens.nextItem();
      if (!is(token, 'operator', '{')) break;
      const value: Arg = { kind: 'none' };
      token = this.#argument(value);
      if (token.kind === 'operator') token = this.#operator(value, token);
      if (!is(token, 'delimiter', ',')) throw new Refused();
      const name: Arg = { kind: 'none' };
      token = this.#argument(name);
      if (!is(token, 'operator', '}')) throw new Refused();
      const valueText = constantText(value);
      const nameText = constantText(name);
      if (valueText === null || nameText === null) throw new Refused();
      names.push({ value: flagValue(valueText), name: nameText });
      token = this.#tokens.nextItem();
    } while (is(token, 'delimiter', ','));
    if (!is(token, 'delimiter', ')')) throw new Refused();
    return names;
  }

  #sizeof(arg: Arg): Token {
    let token = this.#tokens.nextItem();
    let bytes: number;
    let closed = false;
    let { text } = token;
    if (text === 'unsigned') {
      token = this.#tokens.nextItem();
      closed = token.kind !== 'item';
      text = token.text;
    }
    const sized = /^(?:(?:__)?[us](8|16|32|64)|__(8))$/.exec(text);
    if (closed || text === 'int') bytes = 4;
    else if (text === 'long') {
      token = this.#tokens.nextItem();
      closed = token.text !== 'long';
      bytes = closed ? this.#abi.longBytes : 8;
    } else if (sized !== null && text !== '__s8') bytes = Number(sized[1] ?? sized[2]) / 8;
    else if (text === 'REC') {
      if (!is(this.#tokens.nextItem(), 'operator', '->')) throw new Refused();
      const field = this.#anyField(this.#item());
      if (field === null || field.isArray) throw new Refused();
      bytes = field.size;
    } else throw new Refused();
    if (!closed) token = this.#tokens.nextItem();
    if (!is(token, 'delimiter', ')')) throw new Refused();
    become(arg, { kind: 'atom', text: String(bytes) });
    return this.#tokens.nextItem();
  }

  #printFunction(arg: Arg, name: string): Token {
    const called = printFunctions.get(name);
    if (called === undefined) throw new Refused();
    const args = called.parameters.map((_, index): Arg => {
      const parameter: Arg = { kind: 'none' };
      const token = this.#argument(parameter);
      if (!is(token, 'delimiter', index < called.parameters.length - 1 ? ',' : ')')) throw new Refused();
      return parameter;
    });
    become(arg, { kind: 'call', function: called, args });
    return this.#tokens.next();
  }

  /** One argument of a helper, operators allowed, up to `closing`. */
  #parameter(closing: string): Arg {
    const arg: Arg = { kind: 'none' };
    let token = this.#argument(arg);
    if (token.kind === 'operator') {
      token = this.#operator(arg, token);
      fold(arg);
    }
    if (!is(token, 'delimiter', closing)) throw new Refused();
    return arg;
  }

  /** `name)`. */
  #nameParameter(): string {
    const name = this.#item();
    if (!is(this.#tokens.next(), 'delimiter', ')')) throw new Refused();
    return name;
  }

  #item(): string {
    const token = this.#tokens.next();
    if (token.kind !== 'item') throw new Refused();
    return token.text;
  }

  /** Common fields first. */
  #anyField(name: string): FieldFormat | null {
    const { fields } = this.#event;
    return (
      fields.find((field) => field.common && field.name === name) ?? fields.find((field) => field.name === name) ?? null
    );
  }

  #ownField(name: string): FieldFormat {
    const field = this.#event.fields.find((each) => !each.common && each.name === name);
    if (field === undefined) throw new Refused();
    return field;
  }
}

/** Arguments change in place, behind the compiler's back. */
const asOperation = (arg: Arg): Operation | null => (arg.kind === 'operation' ? arg : null);

/** The priority that an operation has kept from when it was read: unary ones, indices and conditionals have 0. */
function priorityWithin(operation: Operation): number {
  if (operation.operator === '?' || operation.operator === '[' || operation.left.kind === 'none') return 0;
  return priorityOf(operation.operator);
}
