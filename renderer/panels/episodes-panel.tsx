// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand while scrolling, which a table cannot do
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { Episode, EpisodeTotal, Finding } from '../../shared/model.ts';
import { formatNumber } from '../../shared/units.ts';
import { showEpisode } from '../state/selection.ts';
import { episodesStore, selectionStore, workspaceStore } from '../state/stores.ts';
import { zoomToRange } from '../state/viewport.ts';
import { countOf, offsetText } from '../ui/text.ts';
import { useTimeUnit } from '../ui/use-time-unit.ts';
import { type EpisodeColumn, episodeColumns, sortEpisodes } from './episode-columns.ts';

const ROW_PX = 22;

/** Throttle episodes: totals per cgroup, what a reader should know, and a table whose rows zoom to the episode. */
export function EpisodesPanel() {
  const { episodes, totals, findings } = useStore(episodesStore);
  const partial = useStore(workspaceStore, (state) => state.summary?.partial !== undefined);
  if (episodes.length === 0 && findings.length === 0) {
    return (
      <p className="muted empty-list">
        {partial ? 'There is no throttling in the indexed part.' : 'No throttling was recorded.'} Episodes need
        writeback:balance_dirty_pages events with a pause.
      </p>
    );
  }
  return (
    <div className="episodes">
      <div className="episodes-top">
        <Totals totals={totals} caption={partial ? 'Totals of the indexed part' : null} />
        <div className="episodes-text">
          {findings.length > 0 && <Findings findings={findings} />}
          <SelectedCause episodes={episodes} />
        </div>
      </div>
      <div className="grid-frame">
        <EpisodeTable episodes={episodes} />
      </div>
    </div>
  );
}

/** The sentence of the selected episode in full: its column is often too narrow. */
function SelectedCause({ episodes }: { episodes: Episode[] }) {
  const id = useStore(selectionStore, (state) => state.episodeId);
  const cause = episodes.find((episode) => episode.id === id)?.cause;
  return (
    <p aria-live="polite" className="muted">
      {cause ?? 'A row zooms to its episode.'}
    </p>
  );
}

function Totals({ totals, caption }: { totals: EpisodeTotal[]; caption: string | null }) {
  return (
    <table className="totals" aria-label="Totals per cgroup">
      {caption !== null && <caption className="muted">{caption}</caption>}
      <thead>
        <tr>
          <th scope="col">Cgroup</th>
          {['Episodes', 'Tasks', 'Pauses', 'Pause, ms', 'Wall, ms', 'Longest, ms'].map((title) => (
            <th key={title} scope="col" className="right">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {totals.map((total) => (
          <tr key={total.key}>
            <th scope="row">{total.key}</th>
            {[total.episodes, total.tasks, total.pauses, total.pauseMs, total.wallMs, total.longestMs].map(
              (value, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the columns are fixed
                <td key={index} className="right numbers">
                  {formatNumber(value, { significant: 5, grouping: true })}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  const unit = useTimeUnit();
  return (
    <section className="findings" aria-label="Findings">
      <h3>{countOf(findings.length, 'finding')}</h3>
      <ul>
        {findings.map((finding) => (
          <li key={`${finding.kind}-${finding.atNs}-${finding.message}`}>
            <button
              type="button"
              className="link-row"
              onClick={() => zoomToRange({ fromNs: finding.atNs, toNs: finding.atNs })}
            >
              <span className="mono muted">{offsetText(finding.atNs, unit)}</span> {finding.message}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function EpisodeTable({ episodes }: { episodes: Episode[] }) {
  const [sort, setSort] = useState<{ column: EpisodeColumn['key']; descending: boolean }>({
    column: 'start',
    descending: false,
  });
  const unit = useTimeUnit();
  const selectedId = useStore(selectionStore, (state) => state.episodeId);
  const sorted = useMemo(() => sortEpisodes(episodes, sort), [episodes, sort]);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const selectedAt = sorted.findIndex((episode) => episode.id === selectedId);
  useEffect(() => {
    if (selectedAt >= 0) rows.scrollToIndex(selectedAt, { align: 'auto' });
  }, [selectedAt, rows]);

  const onKey = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 10,
      PageUp: -10,
      Home: -1e9,
      End: 1e9,
    };
    if (event.altKey || event.metaKey || !(event.key in steps)) return;
    event.preventDefault();
    const next = sorted[Math.min(Math.max(0, selectedAt + steps[event.key]), sorted.length - 1)];
    if (next) showEpisode(next);
  };

  const template = episodeColumns.map((column) => column.width).join(' ');
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label="Episodes"
      aria-rowcount={sorted.length + 1}
      aria-colcount={episodeColumns.length}
      aria-activedescendant={selectedAt >= 0 ? `episode-${selectedId}` : undefined}
      tabIndex={0}
      className="episode-grid"
      style={{ ['--columns' as string]: template }}
      onKeyDown={onKey}
    >
      <div role="row" aria-rowindex={1} className="episode-row head" tabIndex={-1}>
        {episodeColumns.map((column) => (
          <div
            key={column.key}
            role="columnheader"
            tabIndex={-1}
            className={column.right ? 'right' : ''}
            aria-sort={sort.column === column.key ? (sort.descending ? 'descending' : 'ascending') : 'none'}
          >
            <button
              type="button"
              className="plain"
              title={column.hint}
              onClick={() =>
                setSort({
                  column: column.key,
                  descending: sort.column === column.key ? !sort.descending : column.right === true,
                })
              }
            >
              {column.title}
              {sort.column === column.key && <span aria-hidden="true"> {sort.descending ? '▾' : '▴'}</span>}
            </button>
          </div>
        ))}
      </div>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((item) => {
          const episode = sorted[item.index];
          return (
            <div
              key={episode.id}
              id={`episode-${episode.id}`}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={episode.id === selectedId}
              tabIndex={-1}
              className="episode-row"
              style={{ transform: `translateY(${item.start}px)` }}
              onClick={() => showEpisode(episode)}
              onKeyDown={() => undefined}
            >
              {episodeColumns.map((column) => (
                <div
                  key={column.key}
                  role="gridcell"
                  tabIndex={-1}
                  className={column.right ? 'right numbers' : ''}
                  title={column.key === 'cause' ? episode.cause : undefined}
                >
                  {column.text(episode, unit)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
