import type { Print } from '../record.ts';
import { fieldValue, type Handler, type HandlerScope, ownField, printField } from './handler.ts';
import { SVM_EXIT_REASONS, VMX_EXIT_REASONS } from './kvm-exit-reasons.ts';

/** kvm and kvmmmu events. A guest's functions are not known from the host's recording alone. */

const ISA_VMX = 1;
const ISA_SVM = 2;

function exitReason(scope: HandlerScope, name: string): Handler {
  const value = fieldValue(scope, name);
  const isa = fieldValue(scope, 'isa', false);
  return (record, out) => {
    if (!value(record, out)) return true;
    const { high, low } = record;
    const set = isa(record, out) ? record.low | 0 : ISA_VMX;
    const reasons = set === ISA_VMX ? VMX_EXIT_REASONS : set === ISA_SVM ? SVM_EXIT_REASONS : null;
    const reason = reasons === null ? 'UNKNOWN-ISA' : reasons.get(low | 0);
    if (reason !== undefined) out.text(`reason ${reason}`);
    else {
      out.text('reason UNKNOWN (');
      out.decimal64(high, low);
      out.byte(41);
    }
    return false;
  };
}

export function kvmExit(scope: HandlerScope): Handler {
  const reason = exitReason(scope, 'exit_reason');
  const rip = fieldValue(scope, 'guest_rip');
  const info1 = fieldValue(scope, 'info1', false);
  const info2 = fieldValue(scope, 'info2', false);
  return (record, out) => {
    if (reason(record, out) || !rip(record, out)) return true;
    out.text(' rip 0x');
    out.hex64(record.high, record.low);
    if (!info1(record, out)) return false;
    const { high, low } = record;
    if (!info2(record, out)) return false;
    out.text(' info ');
    out.hex64(high, low);
    out.byte(32);
    out.hex64(record.high, record.low);
    return false;
  };
}

export function kvmEntry(scope: HandlerScope): Handler {
  const vcpu = printField(scope, ' vcpu ', 'vcpu_id', '%u');
  const rip = fieldValue(scope, 'rip');
  return (record, out) => {
    vcpu(record, out);
    if (!rip(record, out)) return true;
    out.text(' rip 0x');
    out.hex64(record.high, record.low);
    return false;
  };
}

/**
 * `csbase:rip: 0f 01 c1 FAIL`: the instruction's bytes, as nothing here disassembles them. libtraceevent writes them into one buffer,
 * which it does not clear: an instruction without bytes (it could not be fetched) shows those of the one before.
 */
export function kvmEmulateInsn(scope: HandlerScope): Handler {
  const values = ['rip', 'csbase', 'len', 'flags', 'failed'].map((name) => fieldValue(scope, name));
  const insn = ownField(scope, 'insn');
  const halves = new Int32Array(10);
  let last: Uint8Array = new Uint8Array(0);
  return (record, out) => {
    for (let i = 0; i < values.length; i++) {
      if (!values[i](record, out)) return true;
      halves[2 * i] = record.high;
      halves[2 * i + 1] = record.low;
    }
    if (insn === null) {
      out.text('<CANT FIND FIELD insn>');
      return true;
    }
    out.hex64(halves[2], halves[3]);
    out.byte(58);
    out.hex64(halves[0], halves[1]);
    out.text(': ');
    const from = record.at + insn.offset;
    const to = Math.min(record.reach, from + (halves[5] >>> 0));
    if (to > from && record.cpu >= 0) last = record.bytes.slice(from, to);
    const shown = to > from || record.cpu < 0 ? record.bytes.subarray(from, to) : last;
    for (let i = 0; i < shown.length; i++) {
      if (i > 0) out.byte(32);
      out.hexByte(shown[i]);
    }
    if ((halves[8] | halves[9]) !== 0) out.text(' FAIL');
    return false;
  };
}

export function kvmNestedVmexitInject(scope: HandlerScope): Handler {
  const reason = exitReason(scope, 'exit_code');
  const infos: Print[] = [
    printField(scope, ' info1 ', 'exit_info1', '%llx'),
    printField(scope, ' info2 ', 'exit_info2', '%llx'),
    printField(scope, ' int_info ', 'exit_int_info', '%llx'),
    printField(scope, ' int_info_err ', 'exit_int_info_err', '%llx'),
  ];
  return (record, out) => {
    if (reason(record, out)) return true;
    for (const info of infos) info(record, out);
    return false;
  };
}

export function kvmNestedVmexit(scope: HandlerScope): Handler {
  const rip = fieldValue(scope, 'rip');
  const rest = kvmNestedVmexitInject(scope);
  return (record, out) => {
    if (!rip(record, out)) return true;
    out.text(' rip ');
    out.hex64(record.high, record.low);
    return rest(record, out);
  };
}

const ACCESS = ['---', '--x', 'w--', 'w-x', '-u-', '-ux', 'wu-', 'wux'];

/** union kvm_mmu_page_role, as arch/x86/include/asm/kvm_host.h had it up to 4.x, lowest bit first. */
export function kvmMmuRole(scope: HandlerScope): Handler {
  const role = fieldValue(scope, 'role');
  const root = printField(scope, ' root ', 'root_count', '%u', ' ');
  const unsync = fieldValue(scope, 'unsync');
  const { littleEndian } = scope.abi;
  return (record, out) => {
    if (!role(record, out)) return true;
    const word = record.low;
    const bits = (from: number, count: number): number => (word >>> from) & ((1 << count) - 1);
    const not = (from: number): string => (bits(from, 1) ? '' : '!');
    if (littleEndian) {
      out.text(`${bits(0, 4)} q${bits(5, 2)}${bits(7, 1) ? ' direct' : ''} ${ACCESS[bits(8, 3)]}`);
      out.text(`${bits(11, 1) ? ' invalid' : ''} ${not(4)}pae ${not(12)}nxe ${not(13)}wp`);
      out.text(`${bits(14, 1) ? ' smep' : ''}${bits(15, 1) ? ' smap' : ''}${bits(24, 8) ? ' smm' : ''}`);
    } else out.text(`WORD: ${(word >>> 0).toString(16).padStart(8, '0')}`);
    root(record, out);
    if (!unsync(record, out)) return true;
    // A NUL follows, which ends the line for whoever prints it.
    out.text((record.high | record.low) !== 0 ? 'unsync' : 'sync');
    out.byte(0);
    return false;
  };
}

export function kvmMmuGetPage(scope: HandlerScope): Handler {
  const created = fieldValue(scope, 'created');
  const gfn = fieldValue(scope, 'gfn');
  const role = kvmMmuRole(scope);
  return (record, out) => {
    if (!created(record, out)) return true;
    out.text((record.high | record.low) !== 0 ? 'new ' : 'existing ');
    if (!gfn(record, out)) return true;
    out.text('sp gfn ');
    out.hex64(record.high, record.low);
    out.byte(32);
    return role(record, out);
  };
}
