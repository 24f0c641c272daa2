import { basename } from 'node:path';
import { formatLength, timeUnitOf } from '../../shared/time.ts';
import { totalLines } from './episodes.ts';
import type { CommandHost } from './host.ts';
import { type OpeningOptions, readInput } from './input.ts';
import { writeLines } from './output.ts';

/** What is in the files, in a few lines: events, duration, throttle episodes per cgroup. Returns the exit code. */
export function printFindings(files: readonly string[], opening: OpeningOptions, host: CommandHost): Promise<number> {
  return readInput(files, opening, host, async ({ engine, summary }) => {
    const { workspaceId, recordings, events, durationNs, streams } = summary;
    const { episodes, totals, findings } = await engine.call('episodes', { workspaceId, by: 'cgroup' }, host);
    const cpus = streams.reduce((most, stream) => Math.max(most, stream.cpus.length), 0);
    const lines = [
      `${recordings.map(({ path }) => basename(path)).join(' + ')}: ${events.toLocaleString('en')} events, ${formatLength(durationNs, timeUnitOf(summary))}, ${cpus} CPUs`,
    ];
    if (episodes.length > 0) {
      lines.push(`${episodes.length} throttle episodes in ${totals.length} cgroup${totals.length === 1 ? '' : 's'}:`);
      for (const line of totalLines(totals, 'cgroup')) lines.push(`  ${line}`);
    } else {
      lines.push('No throttle episodes.');
    }
    for (const { message } of findings) lines.push(`Note: ${message}`);
    await writeLines(host.stdout, lines);
  });
}
