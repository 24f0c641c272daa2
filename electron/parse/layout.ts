import type { RecordingBuffer, RecordingHead } from './recording.ts';
import type { SubBufferLayout } from './sub-buffer.ts';

const LEAST_BYTES = 512;
/** kernel/trace/ring_buffer.c: what its write counter can address, RB_WRITE_MASK + 1. */
const MOST_BYTES = 1 << 20;

/** A time stamp, `commit`, and room for what kernels may add. */
const MOST_HEADER_BYTES = 64;

/** Whether a sub-buffer, or a page, can be of this size. */
export const isSubBufferSize = (bytes: number): boolean =>
  bytes >= LEAST_BYTES && bytes <= MOST_BYTES && (bytes & (bytes - 1)) === 0;

/** `field: local_t commit; offset:8; size:8;` of header_page. */
function pageField(headerPage: string, name: string): { offset: number; size: number } | null {
  const match = new RegExp(`field:[^;]*\\b${name};\\s*offset:(\\d+);\\s*size:(\\d+);`).exec(headerPage);
  return match === null ? null : { offset: Number(match[1]), size: Number(match[2]) };
}

/** What header_page says about a sub-buffer: its size, and that of `commit`, which is the kernel's long; null where it says nothing that can be. */
export function pageLayout(headerPage: string): { subBufferBytes: number | null; commitBytes: 4 | 8 | null } {
  const commit = pageField(headerPage, 'commit');
  const data = pageField(headerPage, 'data');
  return {
    subBufferBytes: data === null || !isSubBufferSize(data.offset + data.size) ? null : data.offset + data.size,
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
    dataOffset:
      data === null || data.offset % 4 !== 0 || data.offset < 8 + commitBytes || data.offset > MOST_HEADER_BYTES
        ? 8 + commitBytes
        : data.offset,
    typeOffset: type?.offset ?? 0,
    pidOffset: pid?.offset ?? 4,
  };
}
