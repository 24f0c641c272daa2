import type { FieldFormat } from '../../event-format.ts';
import { type ProgramWriter, specOf, Unfit, writePrintFmt } from '../program.ts';
import { anyField, type HandlerScope, ownField } from './handler.ts';
import { handlers } from './handlers.ts';
import { callSiteText, timerFunctionText } from './kernel-events.ts';
import { stateText } from './sched.ts';

/**
 * The programs of events that handlers print: see program.ts. Only of those whose fields are all there; other handlers have none.
 */
const makers = new Map<string, (scope: HandlerScope, writer: ProgramWriter) => void>([
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
]);

/** Writes how an event prints behind its name. Throws Unfit. */
export function writeEvent(scope: HandlerScope, writer: ProgramWriter): void {
  const name = `${scope.event.system}:${scope.event.name}`;
  const make = makers.get(name);
  if (make !== undefined) make(scope, writer);
  else if (handlers.has(name) || name === 'ftrace:bprint') throw new Unfit();
  else writePrintFmt(scope, writer);
}

function number(scope: HandlerScope, name: string): FieldFormat {
  const field = ownField(scope, name);
  if (field === null || ![1, 2, 4, 8].includes(field.size)) throw new Unfit();
  return field;
}

function name(scope: HandlerScope, name: string): FieldFormat {
  const field = anyField(scope, name);
  if (field === null) throw new Unfit();
  return field;
}

/** `comm:pid`; the name is one that was learnt before. */
function task(writer: ProgramWriter, comm: FieldFormat, pid: FieldFormat): void {
  writer.field(pid);
  writer.named();
  writer.name(comm);
  writer.latin1(':');
  writer.number(specOf('%lld'));
}

function printed(writer: ProgramWriter, before: string, field: FieldFormat, conversion: string): void {
  writer.latin1(before);
  writer.field(field);
  writer.number(specOf(conversion));
}

function schedSwitch(scope: HandlerScope, writer: ProgramWriter): void {
  const state = anyField(scope, 'prev_state');
  task(writer, name(scope, 'prev_comm'), number(scope, 'prev_pid'));
  printed(writer, ' [', number(scope, 'prev_prio'), '%d');
  writer.latin1('] ');
  if (state !== null) {
    writer.field(state);
    writer.text(stateText(scope, state));
  }
  writer.latin1(' ==> ');
  task(writer, name(scope, 'next_comm'), number(scope, 'next_pid'));
  printed(writer, ' [', number(scope, 'next_prio'), '%d');
  writer.latin1(']');
}

function schedWakeup(scope: HandlerScope, writer: ProgramWriter): void {
  task(writer, name(scope, 'comm'), number(scope, 'pid'));
  printed(writer, ' [', number(scope, 'prio'), '%lld');
  writer.latin1(']');
  if (ownField(scope, 'success') !== null) printed(writer, ' success=', number(scope, 'success'), '%lld');
  printed(writer, ' CPU:', number(scope, 'target_cpu'), '%03llu');
}

function kmemCallSite(scope: HandlerScope, writer: ProgramWriter): void {
  writer.field(number(scope, 'call_site'));
  writer.text(callSiteText(scope));
  writePrintFmt(scope, writer);
}

function timerFields(scope: HandlerScope, writer: ProgramWriter): { address: () => void; called: () => void } {
  const timer = ownField(scope, 'timer') === null ? number(scope, 'hrtimer') : number(scope, 'timer');
  const called = ownField(scope, 'function') === null ? null : number(scope, 'function');
  return {
    address: () => printed(writer, 'hrtimer=0x', timer, '%llx'),
    called: () => {
      if (called === null) return;
      writer.field(called);
      writer.text(timerFunctionText(scope));
    },
  };
}

function hrtimerExpireEntry(scope: HandlerScope, writer: ProgramWriter): void {
  const { address, called } = timerFields(scope, writer);
  address();
  printed(writer, ' now=', number(scope, 'now'), '%llu');
  called();
}

function hrtimerStart(scope: HandlerScope, writer: ProgramWriter): void {
  const { address, called } = timerFields(scope, writer);
  address();
  called();
  printed(writer, ' expires=', number(scope, 'expires'), '%llu');
  printed(writer, ' softexpires=', number(scope, 'softexpires'), '%llu');
}
