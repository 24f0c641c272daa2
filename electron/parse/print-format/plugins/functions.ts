import type { PrintFunction } from '../syntax.ts';
import { printCdb } from './scsi.ts';

/** Kernel functions that print formats call and that libtraceevent's plugins know (jbd2, kvm, scsi, xen, cfg80211). */
const functions: PrintFunction[] = [
  {
    // A device number as `major:minor`: 20 bits of minor.
    name: 'jbd2_dev_to_name',
    parameters: ['number'],
    run: (_record, out, args) => {
      out.decimal(args[1] >>> 20);
      out.byte(58);
      out.decimal(args[1] & 0xf_ffff);
    },
  },
  {
    // The traced kernel's HZ is not recorded: the jiffies themselves.
    name: 'jiffies_to_msecs',
    parameters: ['number'],
    run: (record, out, args) => {
      out.text(((BigInt(args[0]) << 32n) | BigInt(args[1] >>> 0)).toString());
      record.high = args[0];
      record.low = args[1];
    },
  },
  {
    name: 'is_writable_pte',
    parameters: ['number'],
    run: (record, _out, args) => {
      record.low = args[1] & 2;
    },
  },
  {
    name: 'xen_hypercall_name',
    parameters: ['number'],
    run: (_record, out, args) => {
      const name = XEN_HYPERCALLS[args[1] >>> 0];
      if (name) out.text(`(${name})`);
    },
  },
  {
    // Two bytes of the record, little-endian.
    name: '__le16_to_cpup',
    parameters: ['pointer'],
    run: (record, _out, args) => {
      const at = record.at + args[1];
      if (args[1] >= 0 && at + 2 <= record.end) record.low = record.view.getUint16(at, true);
    },
  },
  { name: 'scsi_trace_parse_cdb', parameters: ['pointer', 'pointer', 'number'], run: printCdb },
];

/** include/xen/interface/xen.h */
const XEN_HYPERCALLS = [
  ...['set_trap_table', 'mmu_update', 'set_gdt', 'stack_switch', 'set_callbacks', 'fpu_taskswitch'],
  ...['sched_op_compat', 'dom0_op', 'set_debugreg', 'get_debugreg', 'update_descriptor', '', 'memory_op'],
  ...['multicall', 'update_va_mapping', 'set_timer_op', 'event_channel_op_compat', 'xen_version', 'console_io'],
  ...['physdev_op_compat', 'grant_table_op', 'vm_assist', 'update_va_mapping_otherdomain', 'iret', 'vcpu_op'],
  ...['set_segment_base', 'mmuext_op', 'acm_op', 'nmi_op', 'sched_op', 'callback_op', 'xenoprof_op'],
  ...['event_channel_op', 'physdev_op', 'hvm_op'],
];
for (let arch = 0; arch < 8; arch++) XEN_HYPERCALLS[48 + arch] = `arch_${arch}`;

export const printFunctions: ReadonlyMap<string, PrintFunction> = new Map(functions.map((each) => [each.name, each]));
