/** Bytes as the rows of a hex dump: offset, hex, and the printable characters. */
export interface HexRow {
  offset: number;
  bytes: HexByte[];
}

export interface HexByte {
  offset: number;
  hex: string;
  /** The ASCII character, or a dot. */
  text: string;
}

export function hexRows(bytes: Uint8Array, perRow = 16): HexRow[] {
  const rows: HexRow[] = [];
  for (let offset = 0; offset < bytes.length; offset += perRow) {
    const row: HexByte[] = [];
    for (let at = offset; at < Math.min(offset + perRow, bytes.length); at++) {
      const byte = bytes[at];
      row.push({
        offset: at,
        hex: byte.toString(16).padStart(2, '0'),
        text: byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
      });
    }
    rows.push({ offset, bytes: row });
  }
  return rows;
}

/** The dump as text, in the layout of `hexdump -C`. */
export function hexText(bytes: Uint8Array): string {
  return hexRows(bytes)
    .map(({ offset, bytes: row }) => {
      const hex = row.map((byte, index) => (index === 8 ? ` ${byte.hex}` : byte.hex)).join(' ');
      return `${offset.toString(16).padStart(8, '0')}  ${hex.padEnd(48)}  |${row.map((byte) => byte.text).join('')}|`;
    })
    .join('\n');
}
