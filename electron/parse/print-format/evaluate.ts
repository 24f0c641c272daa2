import type { EventFormat } from '../event-format.ts';
import type { TraceAbi } from '../recording.ts';
import { dynamicPlace, fieldNumber, readUnsigned, stepBytes } from './fields.ts';
import { castBits, strtoull } from './operators.ts';
import type { NumberOf, PrintRecord } from './record.ts';
import type { Symbols } from './symbols.ts';
import type { Arg, Operation } from './syntax.ts';
import { TextSink } from './text-sink.ts';

/** What expressions are compiled against. */
export interface Scope {
  event: EventFormat;
  abi: TraceAbi;
  symbols: Symbols;
}

/** Compiles a number: unsigned 64-bit arithmetic, as libtraceevent evaluates every argument. */
export function compileNumber(arg: Arg, scope: Scope): NumberOf {
  switch (arg.kind) {
    case 'atom':
      return atom(arg.text, scope);
    case 'field':
      return arg.field === null ? zero : fieldNumber(arg.field, scope.abi);
    case 'cast':
      return masked(compileNumber(arg.value, scope), castBits(arg.type));
    case 'call':
      return calledForItsValue(arg, scope);
    case 'operation':
      return operation(arg, scope);
    case 'dynamic-array-length': {
      const place = dynamicPlace(arg.field, scope.abi);
      return (record) => {
        place(record);
        record.low = record.high;
        record.high = 0;
      };
    }
    case 'dynamic-array': {
      // The address of the data; only functions can use it, as an offset: see pointerOf.
      return pointerOf(arg, scope);
    }
    default:
      return zero;
  }
}

const zero: NumberOf = (record) => {
  record.high = 0;
  record.low = 0;
};

/** A constant; a name is the address of that kernel symbol, 0 where there is none. */
function atom(text: string, scope: Scope): NumberOf {
  let value = strtoull(text);
  if (value === 0n && !/^\d/.test(text)) value = scope.symbols.addressOf(text);
  const high = Number(BigInt.asIntN(32, value >> 32n));
  const low = Number(BigInt.asIntN(32, value));
  return (record) => {
    record.high = high;
    record.low = low;
  };
}

function masked(value: NumberOf, bits: number): NumberOf {
  if (bits === 64) return value;
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  return (record) => {
    value(record);
    record.high = 0;
    record.low &= mask;
  };
}

/** Offset of what a pointer argument points at from the record's start, in `low`; −1 for what is not in the record. */
export function pointerOf(arg: Arg, scope: Scope): NumberOf {
  if (arg.kind === 'cast') return pointerOf(arg.value, scope);
  if (arg.kind === 'dynamic-array') {
    const place = dynamicPlace(arg.field, scope.abi);
    return (record) => {
      place(record);
      record.high = 0;
    };
  }
  return (record) => {
    record.high = -1;
    record.low = -1;
  };
}

/** Compiles a call: arguments into an array of halves, then the function. */
export function compileCall(
  arg: Extract<Arg, { kind: 'call' }>,
  scope: Scope,
): (record: PrintRecord, out: TextSink) => void {
  const parameters = arg.args.map((each, index) =>
    arg.function.parameters[index] === 'pointer' ? pointerOf(each, scope) : compileNumber(each, scope),
  );
  const values = new Int32Array(parameters.length * 2);
  const { run } = arg.function;
  return (record, out) => {
    for (let i = 0; i < parameters.length; i++) {
      parameters[i](record);
      values[2 * i] = record.high;
      values[2 * i + 1] = record.low;
    }
    record.high = 0;
    record.low = 0;
    run(record, out, values);
  };
}

function calledForItsValue(arg: Extract<Arg, { kind: 'call' }>, scope: Scope): NumberOf {
  const call = compileCall(arg, scope);
  const nowhere = new TextSink(64);
  return (record) => {
    nowhere.length = 0;
    call(record, nowhere);
  };
}

/** `REC->array[i]`, `((u32 *)__get_dynamic_array(x))[i]`. */
function element(arg: Operation, scope: Scope): NumberOf | null {
  let array = arg.left;
  let cast: string | null = null;
  while (array.kind === 'cast') {
    cast ??= array.type;
    array = array.value;
  }
  const { longBytes, littleEndian } = scope.abi;
  const index = compileNumber(arg.right, scope);
  // A pointer type loses its ` *`.
  const bits = cast?.endsWith('*') ? castBits(cast.slice(0, -2)) : 64;
  if (array.kind === 'dynamic-array') {
    // libtraceevent steps by bytes here, whatever the element's size.
    const place = dynamicPlace(array.field, scope.abi);
    const size = stepBytes(array.field, scope.abi) || longBytes;
    const read: NumberOf = (record) => {
      index(record);
      const step = record.low;
      place(record);
      readWithin(record, record.low + step, size, littleEndian);
    };
    return masked(read, bits);
  }
  if (array.kind !== 'field') return null;
  if (array.field === null) return zero;
  const { offset } = array.field;
  const size = stepBytes(array.field, scope.abi);
  const read: NumberOf = (record) => {
    index(record);
    readWithin(record, offset + record.low * size, size, littleEndian);
  };
  return masked(read, bits);
}

function readWithin(record: PrintRecord, offset: number, size: number, littleEndian: boolean): void {
  if (offset < 0 || offset + size > record.end - record.at) zero(record);
  else readUnsigned(record, record.at + offset, size, littleEndian);
}

function operation(arg: Operation, scope: Scope): NumberOf {
  if (arg.operator === '[') {
    const read = element(arg, scope);
    if (read !== null) return read;
  }
  if (arg.operator === '?') {
    const condition = compileNumber(arg.left, scope);
    const branches = arg.right as Operation;
    const yes = compileNumber(branches.left, scope);
    const no = compileNumber(branches.right, scope);
    return (record) => {
      condition(record);
      if ((record.high | record.low) !== 0) yes(record);
      else no(record);
    };
  }
  const combine = COMBINE[arg.operator];
  if (combine === undefined) return zero;
  const left = compileNumber(arg.left, scope);
  const right = compileNumber(arg.right, scope);
  return (record) => {
    left(record);
    const { high, low } = record;
    right(record);
    combine(record, high, low);
  };
}

/** `record` holds the right side and receives the result; the halves are the left side. */
type Combine = (record: PrintRecord, high: number, low: number) => void;

const truth = (record: PrintRecord, value: boolean): void => {
  record.high = 0;
  record.low = value ? 1 : 0;
};

/** Order of two unsigned numbers: left below right. */
const below = (high: number, low: number, rightHigh: number, rightLow: number): boolean =>
  high === rightHigh ? low >>> 0 < rightLow >>> 0 : high >>> 0 < rightHigh >>> 0;

const shiftLeft: Combine = (record, high, low) => {
  const by = record.low & 63;
  if (by >= 32) {
    record.high = low << (by - 32);
    record.low = 0;
  } else if (by > 0) {
    record.high = (high << by) | (low >>> (32 - by));
    record.low = low << by;
  } else {
    record.high = high;
    record.low = low;
  }
};

const shiftRight: Combine = (record, high, low) => {
  const by = record.low & 63;
  if (by >= 32) {
    record.high = 0;
    record.low = (high >>> (by - 32)) | 0;
  } else if (by > 0) {
    record.high = high >>> by;
    record.low = (low >>> by) | (high << (32 - by));
  } else {
    record.high = high;
    record.low = low;
  }
};

const wide = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

const setWide = (record: PrintRecord, value: bigint): void => {
  record.high = Number(BigInt.asIntN(32, value >> 32n));
  record.low = Number(BigInt.asIntN(32, value));
};

/** Division by zero, which ends libtraceevent, gives 0. */
const divide = (remainder: boolean): Combine => {
  return (record, high, low) => {
    if (record.high === 0 && record.low === 0) return;
    if (high === 0 && record.high === 0) {
      const left = low >>> 0;
      const right = record.low >>> 0;
      record.low = (remainder ? left % right : Math.floor(left / right)) | 0;
      return;
    }
    const left = wide(high, low);
    const right = wide(record.high, record.low);
    setWide(record, remainder ? left % right : left / right);
  };
};

const COMBINE: Record<string, Combine> = {
  '!': (record) => truth(record, (record.high | record.low) === 0),
  '~': (record) => {
    record.high = ~record.high;
    record.low = ~record.low;
  },
  '!=': (record, high, low) => truth(record, high !== record.high || low !== record.low),
  '==': (record, high, low) => truth(record, high === record.high && low === record.low),
  '||': (record, high, low) => truth(record, (high | low | record.high | record.low) !== 0),
  '&&': (record, high, low) => truth(record, (high | low) !== 0 && (record.high | record.low) !== 0),
  '|': (record, high, low) => {
    record.high |= high;
    record.low |= low;
  },
  '&': (record, high, low) => {
    record.high &= high;
    record.low &= low;
  },
  '<': (record, high, low) => truth(record, below(high, low, record.high, record.low)),
  '<=': (record, high, low) => truth(record, !below(record.high, record.low, high, low)),
  '>': (record, high, low) => truth(record, below(record.high, record.low, high, low)),
  '>=': (record, high, low) => truth(record, !below(high, low, record.high, record.low)),
  '<<': shiftLeft,
  '>>': shiftRight,
  '+': (record, high, low) => {
    const sum = (low >>> 0) + (record.low >>> 0);
    record.high = (high + record.high + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    record.low = sum | 0;
  },
  '-': (record, high, low) => {
    const borrow = low >>> 0 < record.low >>> 0 ? 1 : 0;
    record.high = (high - record.high - borrow) | 0;
    record.low = (low - record.low) | 0;
  },
  '*': (record, high, low) => {
    if (high === 0 && record.high === 0 && (low | record.low) >>> 16 === 0) record.low = Math.imul(low, record.low);
    else setWide(record, wide(high, low) * wide(record.high, record.low));
  },
  '/': divide(false),
  '%': divide(true),
};
