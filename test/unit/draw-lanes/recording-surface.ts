import type { Paint, Stroke, Surface, TextStyle } from '../../../shared/draw/surface.ts';

export type Drawn =
  | { kind: 'rect'; x: number; y: number; width: number; height: number; paint: Paint }
  | { kind: 'line'; x1: number; y1: number; x2: number; y2: number; stroke: Stroke }
  | { kind: 'path'; points: number }
  | { kind: 'circle' }
  | { kind: 'text'; x: number; y: number; text: string; style: TextStyle };

/** A surface that remembers what was drawn, with letters of a fixed width, so that tests can say where labels end. */
export class RecordingSurface implements Surface {
  readonly widthPx = 1000;
  readonly heightPx = 200;
  readonly drawn: Drawn[] = [];
  static readonly LETTER_PX = 6;

  rect(x: number, y: number, width: number, height: number, paint: Paint): void {
    this.drawn.push({ kind: 'rect', x, y, width, height, paint });
  }
  line(x1: number, y1: number, x2: number, y2: number, stroke: Stroke): void {
    this.drawn.push({ kind: 'line', x1, y1, x2, y2, stroke });
  }
  path(_xy: ArrayLike<number>, count: number): void {
    this.drawn.push({ kind: 'path', points: count });
  }
  circle(): void {
    this.drawn.push({ kind: 'circle' });
  }
  text(x: number, y: number, text: string, style: TextStyle): void {
    this.drawn.push({ kind: 'text', x, y, text, style });
  }
  measure(text: string): number {
    return text.length * RecordingSurface.LETTER_PX;
  }
  clip(_x: number, _y: number, _width: number, _height: number, body: () => void): void {
    body();
  }
  later(body: () => void): void {
    body();
  }
  group(_title: string, body: () => void): void {
    body();
  }

  of<K extends Drawn['kind']>(kind: K): Extract<Drawn, { kind: K }>[] {
    return this.drawn.filter((item): item is Extract<Drawn, { kind: K }> => item.kind === kind);
  }
  get texts(): string[] {
    return this.of('text').map((item) => item.text);
  }
}
