import { type TimeScale, xToTime } from '../../shared/draw/ruler.ts';
import type { TimeRange } from '../../shared/time.ts';
import { reportError } from '../state/connection.ts';
import { placeMarker, selectRange } from '../state/selection.ts';
import { selectionStore, uiStore, viewportStore } from '../state/stores.ts';
import { panBy, showRange, zoomBy } from '../state/viewport.ts';
import type { Watchable } from './canvas.tsx';
import { forgetPaint, paintSoon } from './frames.ts';
import { currentScale, GUTTER_PX } from './geometry.ts';
import { DRAG_THRESHOLD_PX, type DragKind, dragKind, pannedBy, rangeBetween, wheelAction } from './gesture.ts';
import { lanesStore } from './lanes-data.ts';
import { dragStore, menuStore, pointTargetOf, tipStore } from './pointing.ts';
import { timeSections } from './time-menu.tsx';

/**
 * All of the pointer on the timeline, lanes and plots alike: hover, click, double click, drags, wheel. The time axis
 * starts `GUTTER_PX` right of `root`; what lies in the gutter (names, controls) is left to itself.
 */
export function attachPointer(root: HTMLElement, scroller: HTMLElement): () => void {
  const aborted = new AbortController();
  const { signal } = aborted;
  let press: { pointerId: number; kind: DragKind; x: number; y: number; view: TimeRange; moved: boolean } | null = null;
  let space = false;
  /** Where the pointer was heard of last: a view that moves below it changes what it points at. */
  let last: PointerEvent | null = null;

  const xOf = (event: MouseEvent): number => event.clientX - root.getBoundingClientRect().left - GUTTER_PX;
  const onAxis = (x: number, scale: TimeScale): boolean => x >= 0 && x <= scale.widthPx;
  /** Controls that lie over the time axis (legends, buttons) work as usual. */
  const isControl = (event: Event): boolean =>
    event.target instanceof Element && event.target.closest('button, input, select, a, [data-control]') !== null;

  function hover(event: PointerEvent): void {
    last = event;
    const scale = currentScale();
    const x = xOf(event);
    if (!onAxis(x, scale) || isControl(event)) {
      leave();
      return;
    }
    const ns = xToTime(scale, x);
    selectionStore.setState({ hoverNs: ns });
    const under = pointTargetOf(event.target);
    const tip = under?.target.describe(ns, event.clientY - under.element.getBoundingClientRect().top) ?? null;
    tipStore.setState({ tip, x: event.clientX, y: event.clientY });
  }

  function hoverAgain(): void {
    if (last && !press) hover(last);
  }

  function leave(): void {
    if (selectionStore.getState().hoverNs !== null) selectionStore.setState({ hoverNs: null });
    if (tipStore.getState().tip) tipStore.setState({ tip: null });
  }

  function away(): void {
    last = null;
    if (!press) leave();
  }

  function down(event: PointerEvent): void {
    const kind = dragKind({ button: event.button, shift: event.shiftKey, space });
    const x = xOf(event);
    if (!kind || press || isControl(event) || !onAxis(x, currentScale())) return;
    // Keeps the middle button from starting the browser's own scrolling, and text from being selected.
    event.preventDefault();
    root.focus({ preventScroll: true });
    const { fromNs, toNs } = viewportStore.getState();
    press = { pointerId: event.pointerId, kind, x, y: event.clientY, view: { fromNs, toNs }, moved: false };
  }

  function move(event: PointerEvent): void {
    if (!press || event.pointerId !== press.pointerId) {
      hover(event);
      return;
    }
    const x = xOf(event);
    if (!press.moved && Math.abs(x - press.x) < DRAG_THRESHOLD_PX) return;
    if (!press.moved) {
      press.moved = true;
      root.setPointerCapture(event.pointerId);
      tipStore.setState({ tip: null });
    }
    const scale = currentScale();
    dragStore.setState({ drag: { kind: press.kind, fromX: press.x, toX: x } });
    if (press.kind === 'pan') showRange(pannedBy(press.view, x - press.x, scale.widthPx), { gesture: true });
    else {
      const range = rangeBetween(scale, press.x, x);
      selectionStore.setState({ hoverNs: x < press.x ? range.fromNs : range.toNs });
      if (press.kind === 'select') selectRange(range);
    }
  }

  function up(event: PointerEvent): void {
    if (!press || event.pointerId !== press.pointerId) return;
    const { kind, moved, x: startX } = press;
    endDrag();
    if (!moved) {
      if (kind !== 'pan') click(event);
    } else if (kind === 'zoom') showRange(rangeBetween(currentScale(), startX, xOf(event)));
  }

  function endDrag(): void {
    press = null;
    dragStore.setState({ drag: null });
  }

  function click(event: PointerEvent): void {
    const under = pointTargetOf(event.target);
    if (under)
      under.target.click(
        xToTime(currentScale(), xOf(event)),
        event.clientY - under.element.getBoundingClientRect().top,
      );
  }

  function doubleClick(event: MouseEvent): void {
    const x = xOf(event);
    const scale = currentScale();
    if (isControl(event) || !onAxis(x, scale)) return;
    const ns = xToTime(scale, x);
    const under = pointTargetOf(event.target);
    const y = under ? event.clientY - under.element.getBoundingClientRect().top : 0;
    if (under?.target.doubleClick?.(ns, y)) return;
    Promise.resolve(under ? under.target.markAt(ns, y) : ns).then(placeMarker, reportError);
  }

  function contextMenu(event: MouseEvent): void {
    const x = xOf(event);
    const scale = currentScale();
    if (isControl(event) || !onAxis(x, scale)) return;
    event.preventDefault();
    const ns = xToTime(scale, x);
    const under = pointTargetOf(event.target);
    const own = under?.target.menu?.(ns, event.clientY - under.element.getBoundingClientRect().top) ?? [];
    tipStore.setState({ tip: null });
    menuStore.setState({ menu: { sections: [...own, ...timeSections(ns)], x: event.clientX, y: event.clientY } });
  }

  function wheel(event: WheelEvent): void {
    const turn = {
      deltaX: event.deltaX,
      deltaY: event.deltaY,
      deltaMode: event.deltaMode,
      chord: event.ctrlKey || event.metaKey,
      shift: event.shiftKey,
    };
    const action = wheelAction(turn, uiStore.getState().wheelZooms);
    const scale = currentScale();
    const plainScroll = action.kind === 'scroll' && !turn.chord;
    if (plainScroll) return; // the browser's own scrolling is smoother than ours
    event.preventDefault();
    if (action.kind === 'scroll') scroller.scrollTop += action.px;
    else if (action.kind === 'pan') panBy(action.px / scale.widthPx);
    else zoomBy(action.factor, xToTime(scale, Math.min(Math.max(0, xOf(event)), scale.widthPx)));
  }

  function key(event: KeyboardEvent): void {
    if (event.code === 'Escape' && event.type === 'keydown' && press) {
      // The first Esc of a drag only gives the drag up.
      event.preventDefault();
      event.stopPropagation();
      if (press.kind === 'pan') showRange(press.view, { gesture: true });
      if (press.kind === 'select') selectRange(null);
      endDrag();
    }
    if (event.code !== 'Space') return;
    const typing =
      event.target instanceof Element &&
      event.target.closest('input, textarea, select, button, [contenteditable=true]');
    if (typing) return;
    space = event.type === 'keydown';
    root.classList.toggle('is-panning', space);
    if (root.contains(document.activeElement) || root.matches(':hover')) event.preventDefault();
  }

  root.addEventListener('pointerdown', down, { signal });
  // Middle button: no autoscroll.
  root.addEventListener('mousedown', (event) => event.button === 1 && event.preventDefault(), { signal });
  root.addEventListener('pointermove', move, { signal });
  root.addEventListener('pointerup', up, { signal });
  root.addEventListener('pointercancel', endDrag, { signal });
  root.addEventListener('pointerleave', away, { signal });
  root.addEventListener('dblclick', doubleClick, { signal });
  root.addEventListener('contextmenu', contextMenu, { signal });
  root.addEventListener('wheel', wheel, { signal, passive: false });
  window.addEventListener('keydown', key, { signal, capture: true });
  window.addEventListener('keyup', key, { signal, capture: true });
  window.addEventListener('blur', () => (space = false), { signal });
  const follow = () => paintSoon(hoverAgain);
  const stops = [viewportStore, lanesStore].map((store) => (store as Watchable).subscribe(follow));
  return () => {
    aborted.abort();
    for (const stop of stops) stop();
    forgetPaint(hoverAgain);
    endDrag();
    leave();
  };
}
