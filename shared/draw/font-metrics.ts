/**
 * Widths of text where there is no canvas to measure it: advance widths of DejaVu Sans 2.37 (`hmtx` of
 * dejavu-fonts-ttf), the font that exported charts name first and that their PNG is set in. In 1/2048 em. ASCII is
 * exact but for kerning, the rest close enough to cut a label; viewers without the font use a narrower one.
 */
const EM = 2048;
/** U+0020 … U+007E. */
const asciiRegular = [
  651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690, 1303, 1303, 1303, 1303, 1303,
  1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1087, 2048, 1401, 1405, 1430, 1577, 1294, 1178, 1587, 1540,
  604, 604, 1343, 1141, 1767, 1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401, 2025, 1403, 1251, 1403, 799, 690,
  799, 1716, 1024, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186, 569, 1995, 1298, 1253, 1300,
  1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075, 1303, 690, 1303, 1716,
];
const asciiBold = [
  713, 934, 1067, 1716, 1425, 2052, 1786, 627, 936, 936, 1071, 1716, 778, 850, 778, 748, 1425, 1425, 1425, 1425, 1425,
  1425, 1425, 1425, 1425, 1425, 819, 819, 1716, 1716, 1716, 1188, 2048, 1585, 1561, 1503, 1700, 1399, 1399, 1681, 1714,
  762, 762, 1587, 1305, 2038, 1714, 1741, 1501, 1741, 1577, 1475, 1397, 1663, 1585, 2259, 1579, 1483, 1485, 936, 748,
  936, 1716, 1024, 1024, 1382, 1466, 1214, 1466, 1389, 891, 1466, 1458, 702, 702, 1362, 702, 2134, 1458, 1407, 1466,
  1466, 1010, 1219, 979, 1458, 1335, 1892, 1321, 1335, 1192, 1458, 748, 1458, 1716,
];
/** Every glyph of DejaVu Sans Mono. */
const MONO = 1233;

/** Last code point of a range of average width, ascending: Latin to Cyrillic, …, symbols, then wide East Asian. */
const ranges: readonly (readonly [last: number, width: number])[] = [
  [0x2ff, 1300],
  [0x36f, 0], // combining marks
  [0x10ff, 1400],
  [0x115f, EM], // Hangul jamo
  [0x2dff, 1716],
  [0xabff, EM],
  [0xd7ff, EM],
  [0xf8ff, 1400],
  [0xfaff, EM],
  [0xfe0f, 0], // variation selectors
  [0x10ffff, EM],
];
const punctuation = new Map([
  [0xb7, 651], // ·
  [0x2013, 1024], // –
  [0x2014, EM], // —
  [0x2018, 651],
  [0x2019, 651],
  [0x201c, 1061],
  [0x201d, 1061],
  [0x2026, EM], // …
  [0x202f, 409], // narrow no-break space
]);

/** Width of `text` in px at `sizePx`. */
export function textWidth(text: string, sizePx: number, font: { bold?: boolean; mono?: boolean } = {}): number {
  const ascii = font.bold ? asciiBold : asciiRegular;
  let width = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index) as number;
    if (code > 0xffff) index++;
    if (font.mono) width += wideGlyph(code) ? 2 * MONO : MONO;
    else if (code >= 0x20 && code <= 0x7e) width += ascii[code - 0x20];
    else width += (punctuation.get(code) ?? rangeWidth(code)) * (font.bold ? 1.12 : 1);
  }
  return (width * sizePx) / EM;
}

const rangeWidth = (code: number): number => ranges.find(([last]) => code <= last)?.[1] ?? EM;

/** No glyph of the monospaced font is two columns wide, so such text is set in another one. */
const wideGlyph = (code: number): boolean => code >= 0x1100 && rangeWidth(code) === EM;
