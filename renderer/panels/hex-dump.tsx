import { useMemo } from 'react';
import { hexRows } from './hex-rows.ts';

interface HexDumpProps {
  bytes: Uint8Array;
  /** Bytes to highlight. */
  marked: { offset: number; bytes: number } | null;
  /** A byte was clicked. */
  onByte: (offset: number) => void;
}

/** The payload as bytes, eight to a row so that it fits beside the timeline. */
export function HexDump({ bytes, marked, onByte }: HexDumpProps) {
  const rows = useMemo(() => hexRows(bytes, 8), [bytes]);
  const isMarked = (offset: number) =>
    marked !== null && offset >= marked.offset && offset < marked.offset + marked.bytes ? 'marked' : undefined;
  return (
    <div className="hex mono">
      {rows.map((row) => (
        <div key={row.offset} className="hex-row">
          <span className="muted">{row.offset.toString(16).padStart(4, '0')}</span>
          <span className="hex-bytes">
            {row.bytes.map((byte) => (
              // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the field list does the same by keyboard
              <span key={byte.offset} className={isMarked(byte.offset)} onClick={() => onByte(byte.offset)}>
                {byte.hex}
              </span>
            ))}
          </span>
          <span className="hex-text">
            {row.bytes.map((byte) => (
              <span key={byte.offset} className={isMarked(byte.offset)}>
                {byte.text}
              </span>
            ))}
          </span>
        </div>
      ))}
    </div>
  );
}
