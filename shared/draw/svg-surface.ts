import { textWidth } from './font-metrics.ts';
import type { Paint, Stroke, Surface, TextStyle } from './surface.ts';

/** What an SVG says about itself to those who do not see it. */
export interface SvgOptions {
  title: string;
  description: string;
  background: string;
}

/**
 * The drawing model's SVG back end. Draw, then `toSvg()`. The text is well-formed XML whatever the strings hold, has no
 * scripts, styles or outside references, and depends on nothing but the calls made: same calls, same bytes.
 * Neighbouring shapes of one paint become one path, which keeps lanes of thousands of slices small.
 */
export class SvgSurface implements Surface {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly #options: SvgOptions;
  readonly #body: string[] = [];
  readonly #clips = new Map<string, string>();
  /** The path being collected: its attributes and its data so far. */
  #attributes = '';
  #path: string[] = [];

  constructor(widthPx: number, heightPx: number, options: SvgOptions) {
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.#options = options;
  }

  rect(x: number, y: number, width: number, height: number, paint: Paint): void {
    if (!(width > 0 && height > 0)) return;
    const d = `M${num(x)} ${num(y)}h${num(width)}v${num(height)}h${num(-width)}z`;
    // Shapes that overlap, drawn one by one, mix; as one path they would not.
    const mixes = paint.stroke !== undefined || (paint.fillOpacity ?? 1) < 1;
    this.#shape(paintAttributes(paint), d, !mixes);
  }

  line(x1: number, y1: number, x2: number, y2: number, stroke: Stroke): void {
    const segment = x1 === x2 ? `V${num(y2)}` : y1 === y2 ? `H${num(x2)}` : `L${num(x2)} ${num(y2)}`;
    this.#shape(paintAttributes({ stroke }), `M${num(x1)} ${num(y1)}${segment}`, (stroke.opacity ?? 1) === 1);
  }

  path(xy: ArrayLike<number>, count: number, paint: Paint & { closed?: boolean }): void {
    const d = pathData(xy, count, paint.closed ?? false);
    if (d !== '') this.#shape(paintAttributes(paint), d, false);
  }

  circle(x: number, y: number, radius: number, paint: Paint): void {
    if (paint.stroke === undefined && (paint.fillOpacity ?? 1) === 1 && paint.fill !== undefined) {
      // A dot is the round cap of a line of no length: two numbers each where samples are many.
      this.#shape(
        `fill="none" stroke="${escapeXml(paint.fill)}" stroke-width="${num(2 * radius)}" stroke-linecap="round"`,
        `M${num(x)} ${num(y)}h0`,
        true,
      );
      return;
    }
    this.#flush();
    this.#body.push(`<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}" ${paintAttributes(paint)}/>`);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    if (text === '') return;
    this.#flush();
    const attributes = [
      `x="${num(x)}" y="${num(y)}" font-size="${num(style.sizePx)}" fill="${escapeXml(style.color)}"`,
    ];
    if (style.weight === 600) attributes.push('font-weight="600"');
    if (style.anchor && style.anchor !== 'start') attributes.push(`text-anchor="${style.anchor}"`);
    if (style.mono) attributes.push(`font-family="${MONO_FONTS}"`);
    if ((style.opacity ?? 1) < 1) attributes.push(`opacity="${num(style.opacity ?? 1)}"`);
    if (/^\s|\s\s|\s$/.test(text)) attributes.push('xml:space="preserve"');
    this.#body.push(`<text ${attributes.join(' ')}>${escapeXml(text)}</text>`);
  }

  later(body: () => void): void {
    body();
  }

  measure(text: string, style: TextStyle): number {
    return textWidth(text, style.sizePx, { bold: style.weight === 600, mono: style.mono });
  }

  clip(x: number, y: number, width: number, height: number, body: () => void): void {
    if (!(width > 0 && height > 0)) return;
    const rect = `x="${num(x)}" y="${num(y)}" width="${num(width)}" height="${num(height)}"`;
    const id = this.#clips.get(rect) ?? `clip-${this.#clips.size + 1}`;
    this.#clips.set(rect, id);
    this.#nest(`<g clip-path="url(#${id})">`, body);
  }

  group(title: string, body: () => void): void {
    this.#nest(title === '' ? '<g>' : `<g><title>${escapeXml(title)}</title>`, body);
  }

  /** The whole document. More may be drawn afterwards and asked for again. */
  toSvg(): string {
    this.#flush();
    const size = `width="${num(this.widthPx)}" height="${num(this.heightPx)}"`;
    const clips = Array.from(this.#clips, ([rect, id]) => `<clipPath id="${id}"><rect ${rect}/></clipPath>`);
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${num(this.widthPx)} ${num(this.heightPx)}" role="img" aria-labelledby="title desc" font-family="${FONTS}">`,
      `<title id="title">${escapeXml(this.#options.title)}</title>`,
      `<desc id="desc">${escapeXml(this.#options.description)}</desc>`,
      ...(clips.length > 0 ? [`<defs>${clips.join('')}</defs>`] : []),
      `<rect ${size} fill="${escapeXml(this.#options.background)}"/>`,
      ...this.#body,
      '</svg>',
      '',
    ].join('\n');
  }

  #nest(open: string, body: () => void): void {
    this.#flush();
    const start = this.#body.length;
    this.#body.push(open);
    try {
      body();
    } finally {
      this.#flush();
      if (this.#body.length === start + 1) this.#body.pop();
      else this.#body.push('</g>');
    }
  }

  #shape(attributes: string, d: string, merges: boolean): void {
    if (!merges || attributes !== this.#attributes) this.#flush();
    this.#attributes = attributes;
    this.#path.push(d);
    if (!merges) this.#flush();
  }

  #flush(): void {
    if (this.#path.length > 0) this.#body.push(`<path ${this.#attributes} d="${this.#path.join('')}"/>`);
    this.#path = [];
    this.#attributes = '';
  }
}

const FONTS = "'DejaVu Sans', Verdana, Helvetica, Arial, sans-serif";
const MONO_FONTS = "'DejaVu Sans Mono', Menlo, Consolas, monospace";

function paintAttributes({ fill, fillOpacity, stroke }: Paint): string {
  const attributes = [`fill="${fill === undefined ? 'none' : escapeXml(fill)}"`];
  if (fill !== undefined && (fillOpacity ?? 1) < 1) attributes.push(`fill-opacity="${num(fillOpacity ?? 1)}"`);
  if (stroke !== undefined) {
    attributes.push(`stroke="${escapeXml(stroke.color)}"`);
    if (stroke.width !== 1) attributes.push(`stroke-width="${num(stroke.width)}"`);
    if (stroke.dash && stroke.dash.length > 0) attributes.push(`stroke-dasharray="${stroke.dash.map(num).join(' ')}"`);
    if ((stroke.opacity ?? 1) < 1) attributes.push(`stroke-opacity="${num(stroke.opacity ?? 1)}"`);
    attributes.push('stroke-linejoin="round"');
  }
  return attributes.join(' ');
}

/**
 * Path data with coordinates in hundredths of a px, relative after each pen-down: differences are short and do not
 * add up errors, as they are taken between rounded positions. A NaN lifts the pen; points that round to the one
 * before them vanish, and a point alone stays as a line of no length.
 */
function pathData(xy: ArrayLike<number>, count: number, closed: boolean): string {
  const d: string[] = [];
  let down = false;
  let segments = 0;
  let x = 0;
  let y = 0;
  const lift = (): void => {
    if (!down) return;
    if (segments === 0) d.push('h0');
    if (closed) d.push('z');
    down = false;
  };
  for (let index = 0; index < count; index++) {
    const nextX = Math.round(xy[2 * index] * 100);
    const nextY = Math.round(xy[2 * index + 1] * 100);
    if (!Number.isFinite(nextX) || !Number.isFinite(nextY)) {
      lift();
      continue;
    }
    const dx = nextX - x;
    const dy = nextY - y;
    if (!down) d.push(`M${hundredths(nextX)} ${hundredths(nextY)}`);
    else if (dx === 0 && dy === 0) continue;
    else
      d.push(
        dy === 0 ? `h${hundredths(dx)}` : dx === 0 ? `v${hundredths(dy)}` : `l${hundredths(dx)} ${hundredths(dy)}`,
      );
    segments = down ? segments + 1 : 0;
    down = true;
    x = nextX;
    y = nextY;
  }
  lift();
  return d.join('');
}

/** A number with at most two decimals and none that are not needed. What is not finite becomes 0, never `NaN` in a file. */
const num = (value: number): string => (Number.isFinite(value) ? hundredths(Math.round(value * 100)) : '0');

const hundredths = (value: number): string => (value === 0 ? '0' : String(value / 100).replace(/^(-?)0\./, '$1.'));

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Text as XML character data or attribute value. XML 1.0 has no place for control characters, lone surrogates and two
 * non-characters, not even escaped: they become U+FFFD, and tabs and line ends a space.
 */
function escapeXml(text: string): string {
  return text
    .replace(/[\t\n\r]/g, ' ')
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => entities[character]);
}
