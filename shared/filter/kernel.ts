import { type CompareNode, type CompareOp, type Condition, resolveField, type Value } from './ast.ts';
import { parseFilter } from './parse.ts';
import { printCondition } from './print.ts';

/**
 * A filter of this language for the kernel's own evaluator (Documentation/trace/events.rst, "Event filtering";
 * kernel/trace/trace_events_filter.c), which tests one event's fields, `COMM`, `CPU` and `common_pid`.
 */
export type KernelFilter =
  | { ok: true; text: string /** Empty: positions in `text` are those in what was typed. */; anchors: Anchor[] }
  | { ok: false; message: string; position: number };

/** From `at` of the kernel's text on, up to the next one, it says what was typed at `typed`. */
interface Anchor {
  at: number;
  typed: number;
}

/** Where a place of the kernel's text, which it complains about, is in what was typed. */
export function typedPosition(anchors: readonly Anchor[], position: number): number {
  if (anchors.length === 0) return position;
  return (anchors.findLast(({ at }) => at <= position) ?? (anchors[0] as Anchor)).typed;
}

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
  if (!parsed.ok) return { ok: true, text: typed, anchors: [] };
  const [clause, second] = parsed.ast.clauses;
  if (clause === undefined) return { ok: true, text: '', anchors: [] };
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
      return { ok: true, text: typed, anchors: [] };
    const text = printCondition(condition, 0);
    return { ok: true, text, anchors: anchorsOf(testsOf(clause.condition), testsOf(condition), typed, text) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, message: error.message, position: error.position };
  }
}

/** The tests of a condition, in their order. */
function testsOf(condition: Condition): CompareNode[] {
  if (condition.kind === 'compare') return [condition];
  if (condition.kind === 'not') return testsOf(condition.operand);
  return [...testsOf(condition.left), ...testsOf(condition.right)];
}

/** One for the field and one for the value of every test, in their order: `typed` has those of `own`, `text` those of `said`. */
function anchorsOf(own: readonly CompareNode[], said: readonly CompareNode[], typed: string, text: string): Anchor[] {
  const anchors: Anchor[] = [];
  let from = 0;
  said.forEach((test, i) => {
    const { field, value, start } = own[i] as CompareNode;
    const at = text.indexOf(printCondition(test, 0), from);
    const before = typed.indexOf(field, start);
    // `3 < prio` is the test of a field too.
    const fieldAt = before >= 0 && before < value.start ? before : typed.indexOf(field, value.end);
    const valueAt = at + `${test.field} ${test.op} `.length;
    anchors.push({ at, typed: fieldAt }, { at: valueAt, typed: value.start });
    from = valueAt;
  });
  return anchors;
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
