import type { EventFormat, FieldFormat } from '../event-format.ts';
import type { TraceAbi } from '../recording.ts';
import { fieldNumber } from './fields.ts';
import type { NumberOf, PrintRecord } from './record.ts';
import type { TextSink } from './text-sink.ts';

/** include/linux/trace_events.h: enum trace_flag_type */
const IRQS_OFF = 0x01;
const IRQS_NO_SUPPORT = 0x02;
const NEED_RESCHED = 0x04;
const HARD_IRQ = 0x08;
const SOFT_IRQ = 0x10;

/**
 * The flags in front of a time stamp: `d..2.`. All events share their common fields; those of the event with the lowest
 * ID are used, as in libtraceevent.
 */
export class LatencyFlags {
  readonly #flags: NumberOf;
  readonly #preemptCount: NumberOf;
  readonly #flagsField: FieldFormat | null;
  readonly #preemptField: FieldFormat | null;
  readonly #lockDepth: Depth;
  readonly #migrateDisable: Depth;

  constructor(formats: readonly EventFormat[], abi: TraceAbi) {
    let first = formats[0];
    for (const format of formats) if (format.id < first.id) first = format;
    const common = (name: string): FieldFormat | undefined =>
      first?.fields.find((field) => field.common && field.name === name);
    const read = (field: FieldFormat | null): NumberOf => (field === null ? missing : fieldNumber(field, abi));
    this.#flagsField = common('common_flags') ?? null;
    this.#preemptField = common('common_preempt_count') ?? null;
    this.#flags = read(this.#flagsField);
    this.#preemptCount = read(this.#preemptField);
    const lockDepth = common('common_lock_depth');
    // libtraceevent keeps one place for both: where there is a lock depth, it is printed for the other, too.
    this.#lockDepth = new Depth(lockDepth, abi);
    this.#migrateDisable = new Depth(lockDepth ?? common('common_migrate_disable'), abi);
  }

  /** common_flags as a number. */
  bits(record: PrintRecord): number {
    this.#flags(record);
    return record.low;
  }

  /**
   * Where the flags, the preempt count, migrate_disable and the lock depth lie, as `print` reads them; of size 0 what is not shown. Null as
   * long as the first record decides.
   */
  get fields(): FlagField[] | null {
    const depths = [this.#migrateDisable.field, this.#lockDepth.field];
    if (depths[0] === undefined || depths[1] === undefined) return null;
    return [this.#flagsField, this.#preemptField, ...depths].map((field) => field ?? NOWHERE);
  }

  print(record: PrintRecord, out: TextSink): void {
    this.#flags(record);
    const flags = record.low;
    this.#preemptCount(record);
    const count = record.low;
    const lockDepth = this.#lockDepth.read(record);
    const migrateDisable = this.#migrateDisable.read(record);
    out.reserve(16);
    out.byte(flags & IRQS_OFF ? 100 : flags & IRQS_NO_SUPPORT ? 88 : 46);
    out.byte(flags & NEED_RESCHED ? 78 : 46);
    const hard = (flags & HARD_IRQ) !== 0;
    const soft = (flags & SOFT_IRQ) !== 0;
    out.byte(hard ? (soft ? 72 : 104) : soft ? 115 : 46);
    if (count & 0xf) out.hex64(0, count & 0xf);
    else out.byte(46);
    if (count & 0xf0) out.hex64(0, count >>> 4);
    else out.byte(46);
    if (migrateDisable !== null) depth(out, migrateDisable);
    if (lockDepth !== null) depth(out, lockDepth);
  }
}

type FlagField = Pick<FieldFormat, 'offset' | 'size'>;

const NOWHERE: FlagField = { offset: 0, size: 0 };

const missing: NumberOf = (record) => {
  record.high = 0;
  record.low = 0;
};

function depth(out: TextSink, value: number): void {
  if (value < 0) out.byte(46);
  else out.decimal(value);
}

/** A field that not every kernel has; one whose first value is negative is not shown at all. */
class Depth {
  readonly #value: NumberOf | null;
  readonly #field: FieldFormat | null;
  #shown: boolean | null = null;

  constructor(field: FieldFormat | undefined, abi: TraceAbi) {
    this.#field = field ?? null;
    this.#value = field === undefined ? null : fieldNumber(field, abi);
  }

  /** Null: it is not shown; undefined: not known yet. */
  get field(): FieldFormat | null | undefined {
    if (this.#field === null || this.#shown === false) return null;
    return this.#shown === null ? undefined : this.#field;
  }

  read(record: PrintRecord): number | null {
    if (this.#value === null || this.#shown === false) return null;
    this.#value(record);
    this.#shown ??= (record.low | 0) >= 0;
    return this.#shown ? record.low | 0 : null;
  }
}
