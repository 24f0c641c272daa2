import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { groupCaptures } from '../engine/raw-folder.ts';
import { isFtraceText, isWorkspace, openRecording, requireSomething } from '../engine/readers.ts';
import { exitCode } from './exit-code.ts';
import { action, type CommandHost, repeated } from './host.ts';
import { withInput } from './input.ts';
import { Messages } from './messages.ts';
import { printRecording, type ReportCommandOptions, single } from './print-recording.ts';

export function addReport(program: Command, host: CommandHost): void {
  const command = new Command('report').description('what `trace-cmd report` prints, byte for byte');
  withInput(command)
    .option('-R, --raw', 'raw fields')
    .option('-l, --latency', 'latency format')
    .option('-t, --full-time', 'times in full, to the nanosecond')
    .addOption(new Option('--cpu <list>', 'only these CPUs: 0,2-3').argParser(parseCpus))
    .option(
      '-F, --only <filter>',
      'only events of this filter: `sched/sched_switch: next_prio < 100`; may be repeated',
      repeated,
    )
    .action(action(host, (files: string[], options: ReportCommandOptions) => report(files, options, host)));
  program.addCommand(command);
}

/** What is not chosen by event needs no index; ftrace's text is put in order by one. */
async function report(files: readonly string[], options: ReportCommandOptions, host: CommandHost): Promise<number> {
  const { filter, from, to, only, workspace } = options;
  const chosen = [filter, from, to, only, workspace].some((option) => option !== undefined);
  const paths = files.map((file) => resolve(file));
  if (chosen || paths.some((path) => isWorkspace(path) || isFtraceText(path)))
    return (await import('./report-indexed.ts')).reportIndexed(files, options, host);
  return straight(paths, options, host);
}

async function straight(paths: readonly string[], options: ReportCommandOptions, host: CommandHost): Promise<number> {
  const messages = new Messages(host.stderr, options.quiet === true);
  const recording = await openRecording(single(groupCaptures(paths)));
  try {
    requireSomething(recording);
    const { source, head } = recording;
    messages.warnings(head.warnings);
    if (options.cpu !== undefined && head.buffers.length > 1) {
      const others = head.buffers.slice(1).map(({ name }) => name);
      messages.say(`--cpu is of the first buffer, as in trace-cmd: ${others.join(', ')} left out`);
    }
    const known = head.warnings.length;
    const damage = printRecording(source, head, options, undefined, host.stdout.fd);
    messages.warnings([...head.warnings.slice(known), ...damage]);
    return head.warnings.length + damage.length > 0 ? exitCode.damaged : exitCode.done;
  } finally {
    recording.source.close();
  }
}

/** The largest number that the kernel gives a CPU (CONFIG_NR_CPUS on x86-64) is 8191. */
const MOST_CPUS = 8192;

/** CPUs as trace-cmd takes them: `0,2-3`. */
function parseCpus(text: string): Set<number> {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (range === null || last >= MOST_CPUS) throw new InvalidArgumentError('CPUs are numbers and ranges: 0,2-3.');
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}
