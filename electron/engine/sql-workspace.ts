import { toRelNs } from '../../shared/time.ts';
import { NO_EVENTS } from '../query/sql-scan.ts';
import type { SqlWorkspace } from '../query/sql-tables.ts';
import { describeField } from './build-trace.ts';
import type { Session } from './sessions.ts';

/** An open workspace as SQL sees it. */
export function sqlWorkspace({ trace, episodes, notes }: Session): SqlWorkspace {
  return {
    trace,
    episodes,
    annotations: notes.all().map(({ fromAbs, toAbs, ...note }) => ({
      ...note,
      fromNs: toRelNs(BigInt(fromAbs), trace.originNs),
      toNs: toRelNs(BigInt(toAbs), trace.originNs),
    })),
    describeType(system, name) {
      for (const { head } of trace.recordings) {
        const format = head.formats.find((candidate) => candidate.system === system && candidate.name === name);
        if (format === undefined) continue;
        const fields = format.fields.map((field) => describeField(system, name, field));
        return { type: NO_EVENTS, system, name, id: format.id, count: 0, fields };
      }
      return undefined;
    },
  };
}
