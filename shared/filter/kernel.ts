import { type CompareNode, type CompareOp, type Condition, resolveField, type Value } from './ast.ts';
import { parseFilter } from './parse.ts';
import { printCondition } from './print.ts';

/**
 * A filter of this language for the kernel's own evaluator (Documentation/trace/events.rst, "Event filtering";
 * kernel/trace/trace_events_filter.c), which tests one event's fields, `COMM`, `CPU` and `common_pid`.
 */
export type KernelFilter =
  | { ok: true; text: string /** Positions in `text` are those in what was typed. */; asTyped: boolean }
  | { ok: false; message: string; position: number };

class Refused extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

const ELSEWHERE = 'capture without it, and filter the view';
const virtualInKernel: Partial<Record<string, string>> = { cpu: 'CPU', pid: 'common_pid', task: 'COMM' };
const regexOps: readonly CompareOp[] = ['=~', '!~'];

/**
 * `fields`: names of the event's own. What does not parse here goes to the kernel as it is: it has functions and lists of CPUs that
 * the language lacks, and its complaint is as good as ours.
 */
export function kernelFilter(typed: string, fields: ReadonlySet<string>): KernelFilter {
  const parsed = parseFilter(typed);
  if (!parsed.ok) return { ok: true, text: typed, asTyped: true };
  const [clause, second] = parsed.ast.clauses;
  if (clause === undefined) return { ok: true, text: '', asTyped: true };
  try {
    if (second !== undefined) throw new Refused('one condition filters an event: join several with &&', second.start);
    if (clause.condition === null) {
      // A lone word is the name of an event to us, and nonsense to the kernel.
      throw new Refused('a condition is expected here, like prev_prio < 100', clause.start);
    }
    if (clause.events.length > 0) {
      throw new Refused('the event is chosen already: write the condition alone', clause.start);
    }
    const condition = translate(clause.condition, fields);
    if (condition === clause.condition && !/(^|[^=!<>])=([^=~]|$)/.test(withoutStrings(typed)))
      return { ok: true, text: typed, asTyped: true };
    return { ok: true, text: printCondition(condition, 0), asTyped: false };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, message: error.message, position: error.position };
  }
}

const withoutStrings = (text: string): string => text.replace(/"[^"]*"|'[^']*'/g, '""');

/** The same object where nothing has to be said in other words. */
function translate(condition: Condition, fields: ReadonlySet<string>): Condition {
  if (condition.kind === 'compare') return translateTest(condition, fields);
  if (condition.kind === 'not') {
    const operand = translate(condition.operand, fields);
    return operand === condition.operand ? condition : { ...condition, operand };
  }
  const left = translate(condition.left, fields);
  const right = translate(condition.right, fields);
  return left === condition.left && right === condition.right ? condition : { ...condition, left, right };
}

function translateTest(test: CompareNode, fields: ReadonlySet<string>): CompareNode {
  if (regexOps.includes(test.op)) {
    throw new Refused(`the kernel has no regular expressions: use ~ with *, or ${ELSEWHERE}`, test.start);
  }
  const source = resolveField(test.field, true, (name) => fields.has(name));
  let { field } = test;
  if (source !== null && 'virtual' in source) {
    const name = virtualInKernel[source.virtual];
    if (name === undefined) throw new Refused(`the kernel can not test ${test.field}: ${ELSEWHERE}`, test.start);
    // `comm`, `COMM` and `common_pid` are the kernel's own words.
    if (test.field === source.virtual) field = name;
  }
  const value = translateValue(test, fields);
  return field === test.field && value === test.value ? test : { ...test, field, value };
}

/** A bare word that is no field is text, which the kernel wants in quotes. */
function translateValue({ value, op }: CompareNode, fields: ReadonlySet<string>): Value {
  if (value.kind === 'time') throw new Refused(`the kernel can not test times: ${ELSEWHERE}`, value.start);
  const isText = value.kind === 'word' && ['==', '!=', '~'].includes(op) && /^[\w./:-]+$/.test(value.name);
  if (!isText || fields.has(value.name)) return value;
  return { kind: 'text', text: value.name, start: value.start, end: value.end };
}
