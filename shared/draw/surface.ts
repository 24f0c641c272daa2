/**
 * The one drawing model: what lanes, plots and charts draw on. Two back ends: a 2-D canvas in the window and SVG
 * text in exports. Immediate mode; lengths in px, y down, text anchored at its alphabetic baseline. Colours are CSS
 * colour strings taken from a `Theme`. Nothing is retained, so callers may reuse the arrays that they pass.
 */
export interface Surface {
  readonly widthPx: number;
  readonly heightPx: number;
  rect(x: number, y: number, width: number, height: number, paint: Paint): void;
  line(x1: number, y1: number, x2: number, y2: number, stroke: Stroke): void;
  /** Open or closed polygon over `xy` = x0, y0, x1, y1, …; `count` points. A NaN coordinate lifts the pen. */
  path(xy: ArrayLike<number>, count: number, paint: Paint & { closed?: boolean }): void;
  circle(x: number, y: number, radius: number, paint: Paint): void;
  text(x: number, y: number, text: string, style: TextStyle): void;
  /** Width in px of `text` in `style`: measured on a canvas, from font metrics in SVG. */
  measure(text: string, style: TextStyle): number;
  /** Draws `body` clipped to a rectangle. */
  clip(x: number, y: number, width: number, height: number, body: () => void): void;
  /**
   * Draws `body` when all else has been drawn, within the same clip: labels, and what else lies above. A canvas draws rectangles far
   * faster where nothing else comes between them; where that makes no difference, `body` is drawn at once.
   */
  later(body: () => void): void;
  /** Groups what `body` draws under a name: an accessible title in SVG, nothing on a canvas. */
  group(title: string, body: () => void): void;
}

export interface Stroke {
  color: string;
  width: number;
  dash?: number[];
  opacity?: number;
}

export interface Paint {
  fill?: string;
  fillOpacity?: number;
  stroke?: Stroke;
}

export interface TextStyle {
  color: string;
  sizePx: number;
  weight?: 400 | 600;
  anchor?: 'start' | 'middle' | 'end';
  mono?: boolean;
  opacity?: number;
}
