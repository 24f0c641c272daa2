import { useEffect } from 'react';
import { useStore } from 'zustand';
import { plotsStore } from '../state/stores.ts';
import { geometryStore } from '../timeline/geometry.ts';
import { PlotPanelView } from './plot-panel.tsx';
import './plot.css';

/** The plots below the lanes. One with a right axis makes room for it on the whole timeline. */
export function PlotList() {
  const plots = useStore(plotsStore, (state) => state.plots);
  const rightAxis = plots.some((plot) => plot.spec.series.some((series) => series.axis === 'right'));
  useEffect(() => geometryStore.setState({ rightAxis }), [rightAxis]);
  return plots.map((plot) => <PlotPanelView key={plot.key} plot={plot} />);
}
