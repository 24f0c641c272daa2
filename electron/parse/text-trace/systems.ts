/**
 * The system of an event, which text does not print. Knowledge about the kernel's own events (include/trace/events/*.h and
 * the tracepoints of its drivers): exact names first, then what names of a system begin with. Events that are not here,
 * such as probes, are `unknown`.
 */
export const UNKNOWN_SYSTEM = 'unknown';

const names = (system: string, list: string): [string, string][] => list.split(/\s+/).map((name) => [name, system]);

const exact = new Map<string, string>([
  ...names(
    'ftrace',
    `unparsed other unnamed print bprint bputs function kernel_stack user_stack context_switch wakeup raw_data hwlat osnoise
     timerlat branch mmiotrace_rw mmiotrace_map func_repeats funcgraph_entry funcgraph_exit funcgraph_interrupt
     funcgraph_retaddr_entry fgraph_retaddr_entry wakeup_rt wakeup_dl irqsoff preemptoff preemptirqsoff blk`,
  ),
  ...names(
    'writeback',
    `balance_dirty_pages bdi_dirty_ratelimit global_dirty_state wbc_writepage flush_foreign track_foreign_dirty
     folio_wait_writeback wait_on_page_writeback inode_foreign_history inode_switch_wbs inode_switch_wbs_queue
     sb_mark_inode_writeback sb_clear_inode_writeback`,
  ),
  ...names('raw_syscalls', 'sys_enter sys_exit'),
  ...names('task', 'task_newtask task_rename task_prctl_unknown'),
  ...names(
    'oom',
    'mark_victim oom_score_adj_update reclaim_retry_zone wake_reaper start_task_reaping finish_task_reaping skip_task_reaping compact_retry',
  ),
  ...names('signal', 'signal_generate signal_deliver'),
  ...names(
    'power',
    'cpu_idle cpu_idle_miss cpu_frequency cpu_frequency_limits clock_enable clock_disable clock_set_rate suspend_resume pstate_sample guest_halt_poll_ns psci_domain_idle_enter psci_domain_idle_exit',
  ),
  ...names(
    'kmem',
    'kmalloc kmalloc_node kfree kmem_cache_alloc kmem_cache_alloc_node kmem_cache_free rss_stat mm_page_alloc mm_page_alloc_extfrag mm_page_alloc_zone_locked mm_page_free mm_page_free_batched mm_page_pcpu_drain mm_alloc_contig_migrate_range_info',
  ),
  ...names('pagemap', 'mm_lru_insertion mm_lru_activate'),
  ...names('skb', 'kfree_skb consume_skb skb_copy_datagram_iovec'),
  ...names('net', 'netif_rx netif_receive_skb net_dev_queue net_dev_start_xmit net_dev_xmit net_dev_xmit_timeout'),
  ...names('exceptions', 'page_fault_user page_fault_kernel'),
  ...names('msr', 'read_msr write_msr rdpmc'),
  ...names('tlb', 'tlb_flush'),
  ...names('timer', 'tick_stop itimer_state itimer_expire timer_base_idle'),
  ...names(
    'huge_memory',
    'mm_khugepaged_scan_pmd mm_collapse_huge_page mm_collapse_huge_page_isolate mm_collapse_huge_page_swapin mm_khugepaged_scan_file mm_khugepaged_collapse_file',
  ),
  ...names('migrate', 'mm_migrate_pages mm_migrate_pages_start set_migration_pte remove_migration_pte'),
  ...names('mmap', 'vm_unmapped_area vma_mas_szero vma_store exit_mmap'),
  ...names('vmalloc', 'alloc_vmap_area purge_vmap_area_lazy free_vmap_area_noflush'),
  ...names('memcg', 'count_memcg_events mod_memcg_state mod_memcg_lruvec_state memcg_flush_stats'),
  ...names('maple_tree', 'ma_op ma_read ma_write'),
  ...names('notifier', 'notifier_register notifier_unregister notifier_run'),
  ...names('capability', 'cap_capable'),
  ...names('gpu_mem', 'gpu_mem_total'),
  ...names('timestamp', 'ctime_ns_xchg fill_mg_cmtime inode_set_ctime_to_ts ctime_xchg_skip'),
  ...names(
    'irq_vectors',
    'local_timer_entry local_timer_exit spurious_apic_entry spurious_apic_exit error_apic_entry error_apic_exit x86_platform_ipi_entry x86_platform_ipi_exit irq_work_entry irq_work_exit reschedule_entry reschedule_exit call_function_entry call_function_exit call_function_single_entry call_function_single_exit thermal_apic_entry thermal_apic_exit',
  ),
]);

/** By beginning, the longest first where one is the beginning of another. */
const beginnings: [string, string][] = [
  ['sys_enter_', 'syscalls'],
  ['sys_exit_', 'syscalls'],
  ['sched_', 'sched'],
  ['irq_handler_', 'irq'],
  ['softirq_', 'irq'],
  ['tasklet_', 'irq'],
  ['irq_matrix_', 'irq_matrix'],
  ['vector_', 'irq_vectors'],
  ['writeback_', 'writeback'],
  ['block_', 'block'],
  ['blkdev_', 'block'],
  ['mm_vmscan_', 'vmscan'],
  ['mm_shrink_slab_', 'vmscan'],
  ['mm_compaction_', 'compaction'],
  ['mm_filemap_', 'filemap'],
  ['filemap_', 'filemap'],
  ['mmap_lock_', 'mmap_lock'],
  ['cgroup_', 'cgroup'],
  ['workqueue_', 'workqueue'],
  ['hrtimer_', 'timer'],
  ['timer_', 'timer'],
  ['tmigr_', 'timer_migration'],
  ['rcu_', 'rcu'],
  ['ext4_', 'ext4'],
  ['jbd2_', 'jbd2'],
  ['xfs_', 'xfs'],
  ['btrfs_', 'btrfs'],
  ['f2fs_', 'f2fs'],
  ['nfs4_', 'nfs4'],
  ['nfs_', 'nfs'],
  ['nvme_', 'nvme'],
  ['scsi_', 'scsi'],
  ['ufshcd_', 'ufs'],
  ['mmc_', 'mmc'],
  ['kvm_', 'kvm'],
  ['xen_', 'xen'],
  ['vmexit_', 'kvm'],
  ['drm_', 'drm'],
  ['dma_fence_', 'dma_fence'],
  ['i915_', 'i915'],
  ['amdgpu_', 'amdgpu'],
  ['tcp_', 'tcp'],
  ['udp_', 'udp'],
  ['sock_', 'sock'],
  ['inet_', 'sock'],
  ['napi_', 'napi'],
  ['qdisc_', 'qdisc'],
  ['xdp_', 'xdp'],
  ['fib_', 'fib'],
  ['regulator_', 'regulator'],
  ['thermal_', 'thermal'],
  ['cpuhp_', 'cpuhp'],
  ['ipi_', 'ipi'],
  ['csd_', 'csd'],
  ['percpu_', 'percpu'],
  ['lock_', 'lock'],
  ['contention_', 'lock'],
  ['binder_', 'binder'],
  ['io_uring_', 'io_uring'],
  ['clk_', 'clk'],
  ['i2c_', 'i2c'],
  ['smbus_', 'smbus'],
  ['spi_', 'spi'],
  ['gpio_', 'gpio'],
  ['rpm_', 'rpm'],
  ['module_', 'module'],
  ['fuse_', 'fuse'],
  ['erofs_', 'erofs'],
  ['iomap_', 'iomap'],
  ['x86_fpu_', 'x86_fpu'],
  ['rseq_', 'rseq'],
  ['swiotlb_', 'swiotlb'],
  ['iommu_', 'iommu'],
  ['osnoise_', 'osnoise'],
];

/** The system of an event by its name; `unknown` where nothing tells. */
export function systemOf(name: string): string {
  const known = exact.get(name);
  if (known !== undefined) return known;
  return beginnings.find(([beginning]) => name.startsWith(beginning))?.[1] ?? UNKNOWN_SYSTEM;
}
