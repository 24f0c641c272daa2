/**
 * Filled rectangles, drawn into memory instead of onto a canvas: lanes and plots are thousands of narrow ones, and the browser takes a
 * microsecond or two for each, which here is what their pixels take. Edges between pixels are blended by how much of a pixel is covered,
 * as a canvas does it.
 *
 * Pixels are RGBA, 8 bits each, not premultiplied, in this machine's byte order (little-endian: 0xAABBGGRR), rows from the top. One layer
 * is enough for all canvases: it is given to one after the other, and is empty in between.
 */
export class PixelLayer {
  #pixels = new Int32Array(0);
  #width = 0;
  #height = 0;
  // What has been drawn to, in rows.
  #top = 0;
  #bottom = 0;

  /** Takes the size of a canvas in device px, empty. */
  begin(width: number, height: number): void {
    // What a painter that failed left behind.
    this.take(() => {});
    if (width * height > this.#pixels.length) this.#pixels = new Int32Array(width * height);
    this.#width = width;
    this.#height = height;
    this.#top = height;
    this.#bottom = 0;
  }

  get isEmpty(): boolean {
    return this.#top >= this.#bottom;
  }

  /**
   * Draws a rectangle over what is there, cut to `clip`; all in device px. `rgb`: 0xBBGGRR.
   */
  rect(x: number, y: number, width: number, height: number, rgb: number, opacity: number, clip: Clip): void {
    const x0 = Math.max(x, clip.left);
    const y0 = Math.max(y, clip.top);
    const x1 = Math.min(x + width, clip.right);
    const y1 = Math.min(y + height, clip.bottom);
    // Not so for NaN either.
    if (!(x1 > x0 && y1 > y0)) return;
    const top = Math.floor(y0);
    const bottom = Math.ceil(y1);
    if (top < this.#top) this.#top = top;
    if (bottom > this.#bottom) this.#bottom = bottom;
    const left = Math.floor(x0);
    if (x1 <= left + 1) this.#column(left, top, bottom, y0, y1, rgb, opacity * (x1 - x0));
    else {
      const inner = Math.floor(x1);
      let from = left;
      if (x0 > left) this.#column(from++, top, bottom, y0, y1, rgb, opacity * (left + 1 - x0));
      if (inner > from) this.#block(from, inner, top, bottom, y0, y1, rgb, opacity);
      if (x1 > inner) this.#column(inner, top, bottom, y0, y1, rgb, opacity * (x1 - inner));
    }
  }

  /**
   * Hands out the rows that were drawn to, as `width` × `rows` pixels of RGBA from row `top` on, borrowed for the call; the layer is
   * empty afterwards.
   */
  take(use: (rgba: Uint8ClampedArray<ArrayBuffer>, width: number, rows: number, top: number) => void): void {
    if (this.isEmpty) return;
    const first = this.#top * this.#width;
    const end = this.#bottom * this.#width;
    use(
      new Uint8ClampedArray(this.#pixels.buffer, first * 4, (end - first) * 4),
      this.#width,
      this.#bottom - this.#top,
      this.#top,
    );
    this.#pixels.fill(0, first, end);
    this.#top = this.#height;
    this.#bottom = 0;
  }

  /** One column of pixels, the first and last of which may be covered in part. */
  #column(x: number, top: number, bottom: number, y0: number, y1: number, rgb: number, alpha: number): void {
    const pixels = this.#pixels;
    const stride = this.#width;
    let from = top;
    let to = bottom;
    if (y0 > top) {
      const covered = Math.min(y1, top + 1) - y0;
      const at = top * stride + x;
      pixels[at] = over(pixels[at], rgb, Math.round(alpha * covered * 255));
      from++;
    }
    if (y1 < bottom && to > from) {
      to--;
      const at = to * stride + x;
      pixels[at] = over(pixels[at], rgb, Math.round(alpha * (y1 - to) * 255));
    }
    const byte = Math.round(alpha * 255);
    // What is under a column is the same over most of its height: blended once.
    let under = 0;
    let color = over(under, rgb, byte);
    const end = to * stride + x;
    for (let at = from * stride + x; at < end; at += stride) {
      if (pixels[at] !== under) {
        under = pixels[at];
        color = over(under, rgb, byte);
      }
      pixels[at] = color;
    }
  }

  /** Columns that are covered over all of their width, row by row. */
  #block(
    left: number,
    right: number,
    top: number,
    bottom: number,
    y0: number,
    y1: number,
    rgb: number,
    opacity: number,
  ): void {
    const pixels = this.#pixels;
    for (let row = top; row < bottom; row++) {
      const byte = Math.round(opacity * (Math.min(y1, row + 1) - Math.max(y0, row)) * 255);
      const from = row * this.#width + left;
      const to = from + right - left;
      if (byte === 255) pixels.fill(over(0, rgb, byte), from, to);
      else for (let at = from; at < to; at++) pixels[at] = over(pixels[at], rgb, byte);
    }
  }
}

/** What may be drawn to, in device px, within the canvas. */
export interface Clip {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A pixel with a colour of an opacity from 0 to 255 over it. */
function over(under: number, rgb: number, opacity: number): number {
  if (opacity === 0) return under;
  if (under === 0 || opacity === 255) return rgb | (opacity << 24);
  const underOpacity = under >>> 24;
  // Porter and Duff's "over", for colours that are not multiplied by their opacity; all of these are 255 times what they stand for.
  const below = Math.round((underOpacity * (255 - opacity)) / 255);
  const all = opacity + below;
  const red = ((rgb & 0xff) * opacity + (under & 0xff) * below) / all;
  const green = (((rgb >>> 8) & 0xff) * opacity + ((under >>> 8) & 0xff) * below) / all;
  const blue = (((rgb >>> 16) & 0xff) * opacity + ((under >>> 16) & 0xff) * below) / all;
  return (red + 0.5) | ((green + 0.5) << 8) | ((blue + 0.5) << 16) | (all << 24);
}
