import type { Paint, Stroke, Surface, TextStyle } from '../../shared/draw/surface.ts';

const MONO = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const MAX_CACHED_WIDTHS = 20_000;

/** Widths of texts by font and text: labels are measured again in every frame. Emptied when it grows too large. */
const widths = new Map<string, number>();
let family = '';

function fontOf(style: TextStyle): string {
  family ||= getComputedStyle(document.body).fontFamily || 'sans-serif';
  return `${style.weight ?? 400} ${style.sizePx}px ${style.mono ? MONO : family}`;
}

/** A `Surface` on a 2-D canvas. The canvas' transform maps CSS px to device px; see `fitCanvas`. */
export class CanvasSurface implements Surface {
  readonly #context: CanvasRenderingContext2D;
  readonly widthPx: number;
  readonly heightPx: number;

  constructor(context: CanvasRenderingContext2D, widthPx: number, heightPx: number) {
    this.#context = context;
    this.widthPx = widthPx;
    this.heightPx = heightPx;
  }

  rect(x: number, y: number, width: number, height: number, paint: Paint): void {
    const context = this.#context;
    if (paint.fill) {
      context.globalAlpha = paint.fillOpacity ?? 1;
      context.fillStyle = paint.fill;
      context.fillRect(x, y, width, height);
    }
    if (!paint.stroke) return;
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
    const context = this.#context;
    this.#stroke(stroke);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  path(xy: ArrayLike<number>, count: number, paint: Paint & { closed?: boolean }): void {
    const context = this.#context;
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
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#paint(paint);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const context = this.#context;
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
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    body();
    context.restore();
  }

  group(_title: string, body: () => void): void {
    body();
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

/**
 * Gives a canvas the size in device pixels that `widthPx` × `heightPx` CSS px need, clears it and returns a surface in
 * CSS px; null where the browser has no context to give.
 */
export function fitCanvas(canvas: HTMLCanvasElement, widthPx: number, heightPx: number): CanvasSurface | null {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(widthPx * ratio));
  const height = Math.max(1, Math.round(heightPx * ratio));
  const context = canvas.getContext('2d');
  if (!context) return null;
  // Setting a size clears the canvas and drops its state, also where the size is the same: only where it changed.
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, widthPx, heightPx);
  return new CanvasSurface(context, widthPx, heightPx);
}
