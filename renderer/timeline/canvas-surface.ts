import type { Paint, Stroke, Surface, TextStyle } from '../../shared/draw/surface.ts';
import { type Clip, PixelLayer } from './pixel-layer.ts';

const MONO = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const MAX_CACHED_WIDTHS = 20_000;

/** Widths of texts by font and text: labels are measured again in every frame. Emptied when it grows too large. */
const widths = new Map<string, number>();
let family = '';

function fontOf(style: TextStyle): string {
  family ||= getComputedStyle(document.body).fontFamily || 'sans-serif';
  return `${style.weight ?? 400} ${style.sizePx}px ${style.mono ? MONO : family}`;
}

/** Of all surfaces, of which one paints at a time. */
const layer = new PixelLayer();

/** Canvases with nothing on them: they need not be cleared, and go to the screen again only when something is drawn. */
const blank = new WeakSet<HTMLCanvasElement | OffscreenCanvas>();

/** A rectangle of clipping in CSS px, and whether the canvas has been told. */
interface ClipLevel {
  x: number;
  y: number;
  width: number;
  height: number;
  applied: boolean;
}

/**
 * A `Surface` on a 2-D canvas. The canvas' transform maps CSS px to device px; see `fitCanvas`. On a dense one the filled rectangles, and
 * the lines along an axis, that come first are pixels in a `PixelLayer`, which goes to the canvas before anything else is drawn there: who
 * paints many of them does well to leave the rest for `later`. `finish` comes last.
 */
export class CanvasSurface implements Surface {
  readonly #context: CanvasRenderingContext2D;
  readonly widthPx: number;
  readonly heightPx: number;
  // From CSS px to device px.
  readonly #ratio: number;
  readonly #left: number;
  readonly #top: number;
  /** Rectangles go to the layer: nothing is on the canvas yet, with which their pixels would have to be blended. */
  #layered: boolean;
  #clips: ClipLevel[] = [];
  /** The same in device px, all of them together. */
  #bounds: Clip;
  #late: { body: () => void; clips: ClipLevel[] }[] = [];

  /** `dense`: the canvas has just been cleared, and thousands of rectangles are to come. */
  constructor(context: CanvasRenderingContext2D, widthPx: number, heightPx: number, dense = false) {
    this.#context = context;
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.#layered = dense;
    const { a, e, f } = context.getTransform();
    this.#ratio = a;
    this.#left = e;
    this.#top = f;
    const { width, height } = context.canvas;
    this.#bounds = { left: 0, top: 0, right: width, bottom: height };
    if (dense) layer.begin(width, height);
  }

  /** Puts on the canvas what is not there yet. */
  finish(): void {
    this.#flush();
    const late = this.#late;
    this.#late = [];
    for (const { body, clips } of late) this.#within(clips, body);
    this.#flush();
  }

  later(body: () => void): void {
    this.#late.push({ body, clips: this.#clips.map((clip) => ({ ...clip, applied: false })) });
  }

  rect(x: number, y: number, width: number, height: number, paint: Paint): void {
    if (paint.fill) this.#fill(x, y, width, height, paint.fill, paint.fillOpacity ?? 1);
    if (!paint.stroke) return;
    const context = this.#direct();
    this.#stroke(paint.stroke);
    // Inside the rectangle and on whole pixels: a crisp frame of the size that was asked for.
    context.strokeRect(
      Math.round(x) + 0.5,
      Math.round(y) + 0.5,
      Math.max(0, Math.round(width) - 1),
      Math.max(0, Math.round(height) - 1),
    );
  }

  line(x1: number, y1: number, x2: number, y2: number, stroke: Stroke): void {
    if (!stroke.dash && (x1 === x2 || y1 === y2)) {
      const half = stroke.width / 2;
      const { color, width, opacity = 1 } = stroke;
      if (x1 === x2) this.#fill(x1 - half, Math.min(y1, y2), width, Math.abs(y2 - y1), color, opacity);
      else this.#fill(Math.min(x1, x2), y1 - half, Math.abs(x2 - x1), width, color, opacity);
      return;
    }
    const context = this.#direct();
    this.#stroke(stroke);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  path(xy: ArrayLike<number>, count: number, paint: Paint & { closed?: boolean }): void {
    const context = this.#direct();
    context.beginPath();
    let down = false;
    for (let index = 0; index < count; index++) {
      const x = xy[2 * index];
      const y = xy[2 * index + 1];
      if (Number.isNaN(x) || Number.isNaN(y)) down = false;
      else if (down) context.lineTo(x, y);
      else {
        context.moveTo(x, y);
        down = true;
      }
    }
    if (paint.closed) context.closePath();
    this.#paint(paint);
  }

  circle(x: number, y: number, radius: number, paint: Paint): void {
    const context = this.#direct();
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#paint(paint);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const context = this.#direct();
    context.globalAlpha = style.opacity ?? 1;
    context.fillStyle = style.color;
    context.font = fontOf(style);
    context.textAlign = style.anchor === 'middle' ? 'center' : (style.anchor ?? 'start');
    context.fillText(text, x, y);
  }

  measure(text: string, style: TextStyle): number {
    const font = fontOf(style);
    const key = `${font}\n${text}`;
    let width = widths.get(key);
    if (width === undefined) {
      this.#context.font = font;
      width = this.#context.measureText(text).width;
      if (widths.size >= MAX_CACHED_WIDTHS) widths.clear();
      widths.set(key, width);
    }
    return width;
  }

  clip(x: number, y: number, width: number, height: number, body: () => void): void {
    this.#within([...this.#clips, { x, y, width, height, applied: false }], body);
  }

  group(_title: string, body: () => void): void {
    body();
  }

  /** Runs `body` with these clips; the canvas hears of them only when something is drawn on it directly. */
  #within(clips: ClipLevel[], body: () => void): void {
    const [before, bounds] = [this.#clips, this.#bounds];
    const inherited = before.length;
    this.#clips = clips;
    for (const { x, y, width, height } of clips.slice(inherited)) {
      this.#bounds = {
        left: Math.max(this.#bounds.left, x * this.#ratio + this.#left),
        top: Math.max(this.#bounds.top, y * this.#ratio + this.#top),
        right: Math.min(this.#bounds.right, (x + width) * this.#ratio + this.#left),
        bottom: Math.min(this.#bounds.bottom, (y + height) * this.#ratio + this.#top),
      };
    }
    try {
      body();
    } finally {
      for (const { applied } of clips.slice(inherited)) if (applied) this.#context.restore();
      this.#clips = before;
      this.#bounds = bounds;
    }
  }

  /** The canvas, with everything on it so far, clipped. */
  #direct(): CanvasRenderingContext2D {
    const context = this.#context;
    blank.delete(context.canvas);
    this.#flush();
    for (const clip of this.#clips) {
      if (clip.applied) continue;
      clip.applied = true;
      context.save();
      context.beginPath();
      context.rect(clip.x, clip.y, clip.width, clip.height);
      context.clip();
    }
    return context;
  }

  #fill(x: number, y: number, width: number, height: number, color: string, opacity: number): void {
    if (!this.#layered) {
      const context = this.#direct();
      context.globalAlpha = opacity;
      context.fillStyle = color;
      context.fillRect(x, y, width, height);
      return;
    }
    const { rgb, alpha } = colorOf(color, this.#context);
    const ratio = this.#ratio;
    const left = x * ratio + this.#left;
    const top = y * ratio + this.#top;
    layer.rect(left, top, width * ratio, height * ratio, rgb, opacity * alpha, this.#bounds);
  }

  #flush(): void {
    if (!this.#layered) return;
    this.#layered = false;
    layer.take((rgba, width, rows, top) => {
      blank.delete(this.#context.canvas);
      this.#context.putImageData(new ImageData(rgba, width, rows), 0, top);
    });
  }

  #stroke(stroke: Stroke): void {
    const context = this.#context;
    context.globalAlpha = stroke.opacity ?? 1;
    context.strokeStyle = stroke.color;
    context.lineWidth = stroke.width;
    context.setLineDash(stroke.dash ?? []);
  }

  #paint(paint: Paint): void {
    const context = this.#context;
    if (paint.fill) {
      context.globalAlpha = paint.fillOpacity ?? 1;
      context.fillStyle = paint.fill;
      context.fill();
    }
    if (!paint.stroke) return;
    this.#stroke(paint.stroke);
    context.stroke();
  }
}

interface Color {
  /** 0xBBGGRR, as in a PixelLayer. */
  rgb: number;
  alpha: number;
}

const colors = new Map<string, Color>();

/** A CSS colour as numbers; `context` is asked for what is not written as `#rrggbb`. */
function colorOf(css: string, context: CanvasRenderingContext2D): Color {
  let color = colors.get(css);
  if (color === undefined) {
    color = readColor(css) ?? readColor(normalized(css, context)) ?? { rgb: 0, alpha: 1 };
    colors.set(css, color);
  }
  return color;
}

/** As a canvas writes colours: `#rrggbb`, or `rgba(1, 2, 3, 0.5)` where they are not opaque. */
function normalized(css: string, context: CanvasRenderingContext2D): string {
  context.fillStyle = '#000000';
  context.fillStyle = css;
  return context.fillStyle;
}

function readColor(text: string): Color | null {
  const hex = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text);
  if (hex) {
    const [red, green, blue] = hex.slice(1).map((digits) => Number.parseInt(digits, 16));
    return { rgb: red | (green << 8) | (blue << 16), alpha: 1 };
  }
  const parts = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(text);
  if (!parts) return null;
  const [red, green, blue, alpha] = parts.slice(1).map(Number);
  return { rgb: red | (green << 8) | (blue << 16), alpha };
}

/**
 * Gives a canvas the size in device pixels that `widthPx` × `heightPx` CSS px need, clears it and returns a surface in
 * CSS px, `dense` as there; null where the browser has no context to give.
 */
export function fitCanvas(
  canvas: HTMLCanvasElement,
  widthPx: number,
  heightPx: number,
  dense = false,
): CanvasSurface | null {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(widthPx * ratio));
  const height = Math.max(1, Math.round(heightPx * ratio));
  const context = canvas.getContext('2d');
  if (!context) return null;
  // Setting a size clears the canvas and drops its state, also where the size is the same: only where it changed.
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    blank.add(canvas);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (!blank.has(canvas)) context.clearRect(0, 0, widthPx, heightPx);
  blank.add(canvas);
  return new CanvasSurface(context, widthPx, heightPx, dense);
}
