import { RemoraError } from '../../shared/errors.ts';
import type { Filter } from '../../shared/filter/ast.ts';
import { compileFilter, type EventShape } from '../../shared/filter/compile.ts';
import type { FieldReader } from '../../shared/filter/evaluate.ts';
import { parseFilter } from '../../shared/filter/parse.ts';
import { eventTest } from '../../shared/filter/patterns.ts';
import type { EventTypeInfo } from '../../shared/model.ts';
import { cgroupFieldOf } from './groups.ts';
import { didYouMean } from './near-names.ts';
import type { Samples, TextColumn } from './samples.ts';
import type { Trace } from './trace.ts';

/** Parses filter text; throws RemoraError `bad-expression` with the position of the mistake. */
function parseFilterOrThrow(text: string): Filter {
  const parsed = parseFilter(text);
  if (parsed.ok) return parsed.ast;
  throw new RemoraError({
    code: 'bad-expression',
    message: `filter: ${parsed.error.message}`,
    position: parsed.error.position,
  });
}

/**
 * The same for a trace; also throws where a clause names events of which the trace's recordings have none, nor a format: that
 * is a slip of the pen, and an empty answer would look like one about the events.
 */
export function filterOf({ eventTypes, recordings }: Pick<Trace, 'eventTypes' | 'recordings'>, text: string): Filter {
  const filter = parseFilterOrThrow(text);
  const known = [...eventTypes, ...recordings.flatMap(({ head }) => head.formats)];
  for (const pattern of filter.clauses.flatMap(({ events }) => events)) {
    const test = eventTest(pattern);
    if (known.some(({ system, name }) => test(system, name))) continue;
    const hint = didYouMean(pattern.system ? `${pattern.system}:${pattern.event}` : pattern.event, known.map(fullName));
    throw new RemoraError({
      code: 'bad-expression',
      message: `filter: the recording has no event “${pattern.event}”${hint}`,
      position: pattern.start,
    });
  }
  return filter;
}

const fullName = ({ system, name }: { system: string; name: string }): string => `${system}:${name}`;

export function shapeOf(type: EventTypeInfo): EventShape {
  const names = new Set(type.fields.map((field) => field.name));
  return { system: type.system, event: type.name, has: (field) => names.has(field) };
}

/**
 * Which samples of a type pass a filter: 1 or 0 each; null where all do. Reads only the columns the filter names. Fields mean what they
 * mean to EventReader.
 */
export function maskOf(trace: Trace, samples: Samples, type: EventTypeInfo, text: string): Uint8Array | null {
  if (text.trim() === '') return null;
  const compiled = compileFilter(filterOf(trace, text), shapeOf(type), { originNs: trace.originNs });
  if (compiled === true) return null;
  const all = samples.ofType(type.type);
  const mask = new Uint8Array(all.n);
  if (compiled === false) return mask;
  const numbers = new Map<string, Float64Array>();
  const texts = new Map<string, TextColumn>();
  let i = 0;
  const stream = () => trace.streams[all.stream[i] as number];
  const numberColumn = (field: string): Float64Array => {
    let column = numbers.get(field);
    if (column === undefined) {
      column = samples.numbers(type.type, field);
      numbers.set(field, column);
    }
    return column;
  };
  const textOf = (field: string): string => {
    let column = texts.get(field);
    if (column === undefined) {
      column = samples.exactTexts(type.type, field);
      texts.set(field, column);
    }
    return column.values[column.codes[i] as number] as string;
  };
  const cgroup = cgroupFieldOf(type);
  const reader: FieldReader = {
    number(field) {
      if (field === '$cpu') return all.cpu[i] as number;
      if (field === '$pid') return all.pid[i] as number;
      if (field === '$time') return all.time[i] as number;
      if (field === '$cgroup') return cgroup === 'cgroup_ino' ? (numberColumn(cgroup)[i] as number) : Number.NaN;
      return field.startsWith('$') ? Number.NaN : (numberColumn(field)[i] as number);
    },
    text(field) {
      switch (field) {
        case '$cpu':
          return String(all.cpu[i]);
        case '$pid':
          return String(all.pid[i]);
        case '$time':
          return String(all.time[i]);
        case '$task':
          return stream()?.recording.commOf(all.pid[i] as number) ?? '';
        case '$event':
          return type.name;
        case '$system':
          return type.system;
        case '$cgroup':
          return cgroup === null ? '' : trace.cgroupLabel(textOf(cgroup));
        case '$info':
          return trace.text.info(all.stream[i] as number, all.cpu[i] as number, all.index[i] as number);
        default:
          return textOf(field);
      }
    },
  };
  for (i = 0; i < all.n; i++) mask[i] = compiled.test(reader) ? 1 : 0;
  return mask;
}
