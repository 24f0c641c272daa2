import { type CSSProperties, memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { ribbonColors, ribbonsOf } from '../../shared/draw/ribbons.ts';
import { PlotList } from '../plot/plot-list.tsx';
import { episodesStore, taskLanesStore, uiStore, workspaceStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { AXIS_PX, GUTTER_PX, geometryStore } from './geometry.ts';
import { Head } from './head.tsx';
import { attachHeldKeys } from './held-keys.ts';
import { LaneBlockView } from './lane-block.tsx';
import { keepLanesLoaded, lanesStore } from './lanes-data.ts';
import { type LaneSection, lanesOf, layoutEstimate, layoutLanes } from './layout.ts';
import { Overlay } from './overlay.tsx';
import { OVERVIEW_PX, OverviewStrip } from './overview.tsx';
import { attachPointer } from './pointer.ts';
import { scrollStore } from './pointing.ts';
import { keepTaskLanesLoaded, taskDataStore } from './task-lanes-data.ts';
import { TimeMenu } from './time-menu.tsx';
import { Tooltip } from './tooltip.tsx';
import './timeline.css';

const widths = {
  '--gutter': `${GUTTER_PX}px`,
  '--axis': `${AXIS_PX}px`,
  '--overview': `${OVERVIEW_PX}px`,
} as CSSProperties;

/**
 * Ruler, notes, lanes and plots of the open workspace on one time axis, or what is known of the one being opened. Fills its parent, which gives it a height. The
 * canvases follow the stores by themselves; React renders when lanes or plots come and go.
 */
export const Timeline = memo(function Timeline() {
  const root = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [heightPx, setHeightPx] = useState(0);
  const summary = useStore(workspaceStore, (state) => state.summary);
  const episodes = useStore(episodesStore, (state) => state.episodes);
  const theme = useStore(themeStore, (state) => state.theme);
  const ribbons = useMemo(() => ribbonsOf(episodes), [episodes]);
  const colors = useMemo(() => ribbonColors(ribbons, theme), [ribbons, theme]);
  const estimate = useStore(workspaceStore, (state) => state.estimate);
  const tasks = useStore(taskLanesStore, (state) => state.tasks);
  // A capture's summary is another one twice a second, mostly with the same lanes.
  const lanes = summary && lanesOf(summary);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `lanes` is all of `summary` that matters here
  const sections = useMemo(
    () => (summary ? layoutLanes(summary, ribbons, tasks) : estimate ? layoutEstimate(estimate) : []),
    [lanes, ribbons, tasks, estimate],
  );

  useLayoutEffect(() => {
    const measure = () => {
      if (content.current) geometryStore.setState({ contentPx: content.current.clientWidth });
      if (root.current) setHeightPx(root.current.clientHeight);
    };
    const observer = new ResizeObserver(measure);
    for (const element of [root.current, content.current]) if (element) observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (!root.current || !scroller.current) return;
    const stops = [
      attachPointer(root.current, scroller.current),
      attachHeldKeys(),
      keepLanesLoaded(),
      keepTaskLanesLoaded(),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);

  return (
    <section ref={root} className="timeline" style={widths} aria-label="Timeline" tabIndex={-1}>
      <OverviewStrip />
      <Head />
      <div
        ref={scroller}
        className="timeline-scroll"
        onScroll={(event) => scrollStore.setState({ top: event.currentTarget.scrollTop })}
      >
        <div ref={content}>
          <LanesError />
          {sections.map((section) => (
            <SectionView key={section.key} section={section} colors={colors} />
          ))}
          <PlotList />
        </div>
      </div>
      <Overlay heightPx={heightPx} root={root} />
      <Tooltip />
      <TimeMenu />
    </section>
  );
});

/** A kind of lanes under a heading that folds them away. */
const SectionView = memo(function SectionView({
  section,
  colors,
}: {
  section: LaneSection;
  colors: Map<string, string>;
}) {
  const open = useStore(uiStore, ({ folded }) => !folded.includes(section.key));
  const toggle = () =>
    uiStore.setState(({ folded }) => ({
      folded: open ? [...folded, section.key] : folded.filter((key) => key !== section.key),
    }));
  return (
    <div className="lane-section">
      <button type="button" className="section-title" aria-expanded={open} onClick={toggle}>
        <span className="section-arrow" aria-hidden="true" />
        {section.title}
        <span className="section-count">{section.rows}</span>
      </button>
      {open &&
        section.blocks.map((block) => (
          <LaneBlockView key={block.key} block={block} colors={colors} label={section.title} />
        ))}
    </div>
  );
});

function LanesError() {
  const lanesError = useStore(lanesStore, (state) => state.error);
  const tasksError = useStore(taskDataStore, (state) => state.error);
  const error = lanesError ?? tasksError;
  if (!error) return null;
  return (
    <p className="timeline-error" role="alert">
      The lanes could not be loaded: {error.message}
    </p>
  );
}
