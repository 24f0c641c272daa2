import { functionEntry, functionRepeats, kernelStack, rawData } from './ftrace.ts';
import { graphEntry, graphExit } from './function-graph.ts';
import type { HandlerMaker } from './handler.ts';
import { bssInfoChanged, futex, hrtimerExpireEntry, hrtimerStart, kmemCallSite, tlbFlush } from './kernel-events.ts';
import {
  kvmEmulateInsn,
  kvmEntry,
  kvmExit,
  kvmMmuGetPage,
  kvmMmuRole,
  kvmNestedVmexit,
  kvmNestedVmexitInject,
} from './kvm.ts';
import { schedSwitch, schedWakeup } from './sched.ts';

/** Events that print otherwise than their print format says, by `system:event`: libtraceevent's plugins. */
export const handlers: ReadonlyMap<string, HandlerMaker> = new Map<string, HandlerMaker>([
  ['ftrace:function', functionEntry],
  ['ftrace:func_repeats', functionRepeats],
  ['ftrace:kernel_stack', kernelStack],
  ['ftrace:raw_data', rawData],
  ['ftrace:funcgraph_entry', graphEntry],
  ['ftrace:funcgraph_exit', graphExit],
  ['sched:sched_switch', schedSwitch],
  ['sched:sched_wakeup', schedWakeup],
  ['sched:sched_wakeup_new', schedWakeup],
  ['kmem:kfree', kmemCallSite],
  ['kmem:kmalloc', kmemCallSite],
  ['kmem:kmalloc_node', kmemCallSite],
  ['kmem:kmem_cache_alloc', kmemCallSite],
  ['kmem:kmem_cache_alloc_node', kmemCallSite],
  ['kmem:kmem_cache_free', kmemCallSite],
  ['timer:hrtimer_expire_entry', hrtimerExpireEntry],
  ['timer:hrtimer_start', hrtimerStart],
  ['tlb:tlb_flush', tlbFlush],
  ['syscalls:sys_enter_futex', futex],
  ['mac80211:drv_bss_info_changed', bssInfoChanged],
  ['kvm:kvm_exit', kvmExit],
  ['kvm:kvm_entry', kvmEntry],
  ['kvm:kvm_emulate_insn', kvmEmulateInsn],
  ['kvm:kvm_nested_vmexit', kvmNestedVmexit],
  ['kvm:kvm_nested_vmexit_inject', kvmNestedVmexitInject],
  ['kvmmmu:kvm_mmu_get_page', kvmMmuGetPage],
  ['kvmmmu:kvm_mmu_sync_page', kvmMmuRole],
  ['kvmmmu:kvm_mmu_unsync_page', kvmMmuRole],
  ['kvmmmu:kvm_mmu_zap_page', kvmMmuRole],
  ['kvmmmu:kvm_mmu_prepare_zap_page', kvmMmuRole],
]);
