import fc from 'fast-check';
import {
  type Clause,
  type CompareNode,
  type Condition,
  compareOps,
  type Filter,
  type Value,
} from '../../../shared/filter/ast.ts';
import type { FilterEvent } from '../../../shared/filter/evaluate.ts';
import { parseNumber, parseTime } from '../../../shared/filter/literals.ts';

/** Random filters and events over the same few names, so that both outcomes are common. Positions are 0. */
const at = { start: 0, end: 0 };

const field = fc.constantFrom(
  ...['cpu', 'pid', 'task', 'event', 'system', 'info', 'cgroup', 'time'],
  ...['CPU', 'COMM', 'common_pid', 'comm', 'prev_pid', 'prio', 'missing'],
);
const numberText = fc.constantFrom('0', '1', '2', '3', '-1', '0x2', '07', '2.5', '100', '18446744073709551614');
const content = fc.oneof(
  fc.constantFrom('dd', 'bash', 'd*', '*s*', '?d', '1', '', '[a-c]*', 'sched_switch', 'no"q\\uote'),
  fc.string(),
);

const numberValue = numberText.map((text): Value => ({ ...parseNumber(text), ...at }) as Value);
const textValue = content.map((text): Value => ({ kind: 'text', text, ...at }));
const wordValue = fc
  .constantFrom('dd', 'bash', 'prio', 'cpu', '8:0', 'prev_pid', 'kworker/0:1')
  .map((name): Value => ({ kind: 'word', name, ...at }));
const timeValue = fc
  .constantFrom('0', '1.000000002', '+1', '+2ns', '1500ms', '+3us')
  .map((text): Value => ({ ...parseTime(text), ...at }) as Value);

const isRegex = (text: string): boolean => {
  try {
    return Boolean(new RegExp(text));
  } catch {
    return false;
  }
};

const compare: fc.Arbitrary<Condition> = fc
  .tuple(field, fc.constantFrom(...compareOps), numberValue, textValue, wordValue, timeValue, fc.nat(3))
  .map(([name, op, number, text, word, time, pick]): CompareNode => {
    let value = [number, text, word, number][pick];
    const isPattern = op === '~' || op === '=~' || op === '!~';
    if (name === 'time') value = time;
    else if (!isPattern && op !== '==' && op !== '!=' && value.kind === 'text') value = number;
    return { kind: 'compare', field: name, op, value, ...at };
  })
  .filter(({ op, value }) => {
    if (op === '&') return value.kind !== 'number' || Number.isInteger(value.value);
    return op === '~' || isRegex(value.kind === 'word' ? value.name : value.text);
  });

export const anyCondition = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    compare,
    tie('node').map((operand): Condition => ({ kind: 'not', operand, ...at })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), tie('node'), tie('node'))
      .map(([kind, left, right]): Condition => ({ kind, left, right, ...at })),
  ),
})).node;

const pattern = fc.record({
  system: fc.option(fc.constantFrom('sched', 's.*', 'irq')),
  event: fc.constantFrom('sched_switch', 'sched_.*', 'SCHED_SWITCH', 'irq', 'sched_*', '(sched|irq)_x', 'x[ab]+'),
  start: fc.constant(0),
  end: fc.constant(0),
});
const clause: fc.Arbitrary<Clause> = fc
  .tuple(fc.array(pattern, { maxLength: 2 }), fc.option(anyCondition))
  .filter(([events, condition]) => events.length > 0 || condition !== null)
  .map(([events, condition]) => ({ events, condition, ...at }));
export const anyFilter: fc.Arbitrary<Filter> = fc.array(clause, { maxLength: 3 }).map((clauses) => ({ clauses }));

export type Values = Record<string, number | string>;

/** An event whose fields are given by name; virtual ones as `$cpu`. Numbers have their decimal text. */
export function eventOf(values: Values): FilterEvent {
  return {
    has: (name) => !name.startsWith('$') && Object.hasOwn(values, name),
    number: (name) => (typeof values[name] === 'number' ? values[name] : Number.NaN),
    text: (name) => {
      const value = values[name];
      return typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : String(value ?? '');
    },
  };
}

const small = fc.integer({ min: -1, max: 4 });
const names = fc.constantFrom('dd', 'bash', 'kworker/0:1', '1', '');
/** Events of one type of two: with and without fields of their own named as virtual ones are. */
export const anyEvent: fc.Arbitrary<Values> = fc.record(
  {
    $cpu: small,
    $pid: small,
    $time: fc.constantFrom(-1e9, 0, 1, 2, 3000, 5e8, 1e9),
    $task: names,
    $info: names,
    $cgroup: names,
    $system: fc.constantFrom('sched', 'irq'),
    $event: fc.constantFrom('sched_switch', 'irq_x'),
    prio: fc.oneof(small, fc.constant(2 ** 64)),
    prev_pid: small,
    comm: names,
    pid: small,
    cpu: small,
    time: small,
  },
  { requiredKeys: ['$cpu', '$pid', '$time', '$task', '$info', '$cgroup', '$system', '$event'] },
);
