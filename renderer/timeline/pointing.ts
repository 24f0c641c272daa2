import { createStore } from 'zustand/vanilla';
import type { MenuSection } from '../ui/menu.tsx';
import type { DragKind } from './gesture.ts';

/** What the pointer is doing on the timeline, for the overlay and the tooltip. */

/** Something on the timeline that can be pointed at: a block of lanes, the notes, a plot. */
export interface PointTarget {
  /** What to say about the place under the pointer; null: nothing. `y` counts from the element's top. */
  describe(ns: number, y: number): Tip | null;
  click(ns: number, y: number): void;
  /** A time to put a marker on, resolved to the nearest event where there is one. */
  markAt(ns: number, y: number): Promise<number> | number;
  /** What the right button offers here, beside what it offers everywhere. */
  menu?(ns: number, y: number): MenuSection[];
  /** Takes a double click for itself; false leaves it to the markers. */
  doubleClick?(ns: number, y: number): boolean;
}

export interface Tip {
  title: string;
  /** Colour of what is described. */
  color?: string;
  rows: [label: string, value: string][];
  /** A sentence below the rows. */
  text?: string;
}

const targets = new WeakMap<Element, PointTarget>();
const TARGET = '[data-point-target]';

/** Makes an element a target; it needs the attribute `data-point-target`. */
export function setPointTarget(element: Element, target: PointTarget): void {
  targets.set(element, target);
}

/** The target under an element of an event, and the element that it belongs to. */
export function pointTargetOf(node: EventTarget | null): { element: Element; target: PointTarget } | null {
  const element = node instanceof Element ? node.closest(TARGET) : null;
  const target = element && targets.get(element);
  return target ? { element, target } : null;
}

/** The drag under way, in px of the time axis; null: none. */
export const dragStore = createStore<{ drag: { kind: DragKind; fromX: number; toX: number } | null }>(() => ({
  drag: null,
}));

/** How far the lanes and plots are scrolled: what is drawn over them follows. */
export const scrollStore = createStore<{ top: number }>(() => ({ top: 0 }));

/** What the tooltip shows, and where on the page. */
export const tipStore = createStore<{ tip: Tip | null; x: number; y: number }>(() => ({ tip: null, x: 0, y: 0 }));

/** The open menu, and where on the page it hangs. */
export const menuStore = createStore<{ menu: { sections: MenuSection[]; x: number; y: number } | null }>(() => ({
  menu: null,
}));
