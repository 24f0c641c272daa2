import type { CallPrinter, PrintRecord } from '../record.ts';

/** SCSI command blocks (include/scsi/scsi_proto.h; SBC-3, SPC-4) as drivers/scsi/scsi_trace.c prints them. */
export const printCdb: CallPrinter = (record, out, args) => {
  const offset = args[3];
  if (offset < 0) return;
  out.text(describe(new Cdb(record, record.at + offset)));
};

/** The command block's bytes; 0 beyond the record. */
class Cdb {
  readonly #record: PrintRecord;
  readonly #at: number;
  constructor(record: PrintRecord, at: number) {
    this.#record = record;
    this.#at = at;
  }
  byte(index: number): number {
    const at = this.#at + index;
    return at < this.#record.end ? this.#record.bytes[at] : 0;
  }
  /** Big-endian; bytes are shifted as C ints are, so that a 32-bit number with its top bit set extends its sign. */
  number(from: number, bytes: number): bigint {
    let upper = 0n;
    for (let i = 0; i < bytes - 4; i++) upper = (upper << 8n) | BigInt(this.byte(from + i));
    let lower = 0;
    for (let i = Math.max(0, bytes - 4); i < bytes; i++) lower = (lower << 8) | this.byte(from + i);
    return BigInt.asUintN(64, (upper << 32n) | BigInt(lower));
  }
  unsigned32(from: number): number {
    return Number(this.number(from, 4) & 0xffff_ffffn);
  }
}

const WRITE_SAME = 0x41;
const WRITE_SAME_16 = 0x93;
const VARIABLE_LENGTH = 0x7f;
const COMMANDS_32 = new Map([
  [0x09, 'READ'],
  [0x0a, 'VERIFY'],
  [0x0b, 'WRITE'],
  [0x0d, 'WRITE_SAME'],
]);

function describe(cdb: Cdb): string {
  const protect = `protect=${cdb.byte(1) >>> 5}`;
  const unmap = ` unmap=${(cdb.byte(1) >>> 3) & 1}`;
  switch (cdb.byte(0)) {
    case 0x08: // READ(6), WRITE(6)
    case 0x0a:
      return `lba=${((cdb.byte(1) & 0x1f) << 16) | (cdb.byte(2) << 8) | cdb.byte(3)} txlen=${cdb.byte(4)}`;
    case 0x28: // READ(10), WRITE(10), VERIFY(10)
    case 0x2a:
    case 0x2f:
    case WRITE_SAME: {
      const same = cdb.byte(0) === WRITE_SAME ? unmap : '';
      return `lba=${cdb.number(2, 4)} txlen=${cdb.number(7, 2)} ${protect}${same}`;
    }
    case 0xa8: // READ(12), WRITE(12), VERIFY(12)
    case 0xaa:
    case 0xaf:
      return `lba=${cdb.number(2, 4)} txlen=${cdb.number(6, 4)} ${protect}`;
    case 0x88: // READ(16), WRITE(16), VERIFY(16)
    case 0x8a:
    case 0x8f:
    case WRITE_SAME_16: {
      const same = cdb.byte(0) === WRITE_SAME_16 ? unmap : '';
      return `lba=${longAddress(cdb, 2)} txlen=${cdb.number(10, 4)} ${protect}${same}`;
    }
    case 0x42: // UNMAP
      return `regions=${Math.floor((((cdb.byte(7) << 8) | cdb.byte(8)) - 8) >>> 0) >>> 4}`;
    case 0x9e:
      return serviceActionIn(cdb);
    case VARIABLE_LENGTH:
      return variableLength(cdb);
    default:
      return '-';
  }
}

/** An 8-byte address: the lower half is an int, whose sign spreads over the upper half. */
function longAddress(cdb: Cdb, from: number): bigint {
  const lower = Number(BigInt.asIntN(32, cdb.number(from + 4, 4)));
  const upper = cdb.number(from, 4) & 0xffff_ffffn;
  return BigInt.asUintN(64, (upper << 32n) | BigInt(lower));
}

function serviceActionIn(cdb: Cdb): string {
  const action = cdb.byte(1) & 0x1f;
  const name = action === 0x10 ? 'READ_CAPACITY_16' : action === 0x12 ? 'GET_LBA_STATUS' : null;
  if (name === null) return 'UNKNOWN';
  return `${name} lba=${longAddress(cdb, 2)} alloc_len=${cdb.unsigned32(10)}`;
}

function variableLength(cdb: Cdb): string {
  const action = (cdb.byte(8) << 8) | cdb.byte(9);
  const command = COMMANDS_32.get(action);
  if (command === undefined) return '-';
  const same = command === 'WRITE_SAME' ? ` unmap=${(cdb.byte(10) >>> 3) & 1}` : '';
  const address = `lba=${longAddress(cdb, 12)} txlen=${cdb.number(28, 4)}`;
  return `${command}_32 ${address} protect=${cdb.byte(10) >>> 5} ei_lbrt=${cdb.unsigned32(20)}${same}`;
}
