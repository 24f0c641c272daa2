import type { RecordingBuffer, RecordingHead } from './recording.ts';
import type { SubBufferLayout } from './sub-buffer.ts';

/** `field: local_t commit; offset:8; size:8;` of header_page. */
function pageField(headerPage: string, name: string): { offset: number; size: number } | null {
  const match = new RegExp(`field:[^;]*\\b${name};\\s*offset:(\\d+);\\s*size:(\\d+);`).exec(headerPage);
  return match === null ? null : { offset: Number(match[1]), size: Number(match[2]) };
}

/** What header_page says about a sub-buffer: its size, and that of `commit`, which is the kernel's long; null where it does not. */
export function pageLayout(headerPage: string): { subBufferBytes: number | null; commitBytes: 4 | 8 | null } {
  const commit = pageField(headerPage, 'commit');
  const data = pageField(headerPage, 'data');
  return {
    subBufferBytes: data === null ? null : data.offset + data.size,
    commitBytes: commit === null ? null : commit.size === 4 ? 4 : 8,
  };
}

/**
 * Layout of a buffer's sub-buffers. header_page is the kernel's own word; where it is missing, the file's long size
 * stands in for the kernel's.
 */
export function subBufferLayout(head: RecordingHead, buffer: RecordingBuffer): SubBufferLayout {
  const commit = pageField(head.headerPage, 'commit');
  const data = pageField(head.headerPage, 'data');
  const commitBytes = (commit?.size ?? head.abi.longBytes) === 4 ? 4 : 8;
  const fields = head.formats[0]?.fields ?? [];
  const type = fields.find((field) => field.name === 'common_type');
  const pid = fields.find((field) => field.name === 'common_pid');
  return {
    abi: head.abi,
    subBufferBytes: buffer.subBufferBytes,
    commitBytes,
    dataOffset: data?.offset ?? 8 + commitBytes,
    typeOffset: type?.offset ?? 0,
    pidOffset: pid?.offset ?? 4,
  };
}
