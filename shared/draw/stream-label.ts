import type { WorkspaceSummary } from '../model.ts';

/** A stream's name among several: its instance, and its recording's file name where there are several recordings. */
export function streamLabel(summary: Pick<WorkspaceSummary, 'streams' | 'recordings'>, index: number): string {
  const stream = summary.streams[index];
  const parts =
    summary.recordings.length > 1
      ? [fileName(summary.recordings[stream.recording]?.path ?? ''), stream.name]
      : [stream.name || 'top'];
  return parts.filter((part) => part !== '').join(' ');
}

/** Last part of a path of either kind of system. */
export const fileName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
