import type { Surface, TextStyle } from './surface.ts';

const ELLIPSIS = '…';

/**
 * `text` cut with an ellipsis so that it is at most `widthPx` wide; empty where not even one character and the ellipsis
 * fit. `end` keeps the start (names), `middle` both ends (paths, whose last part tells them apart).
 */
export function fitText(
  surface: Pick<Surface, 'measure'>,
  text: string,
  widthPx: number,
  style: TextStyle,
  cut: 'end' | 'middle' = 'end',
): string {
  if (surface.measure(text, style) <= widthPx) return text;
  const characters = Array.from(text);
  let fits = 0;
  let tooMany = characters.length;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (surface.measure(keep(characters, middle, cut), style) <= widthPx) fits = middle;
    else tooMany = middle;
  }
  return fits === 0 ? '' : keep(characters, fits, cut);
}

function keep(characters: string[], count: number, cut: 'end' | 'middle'): string {
  if (cut === 'end') return characters.slice(0, count).join('').trimEnd() + ELLIPSIS;
  const head = Math.floor(count / 2);
  return characters.slice(0, head).join('') + ELLIPSIS + characters.slice(characters.length - (count - head)).join('');
}
