import { useMemo } from 'react';
import { quoteString } from '../../shared/filter/lex.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { ofPart } from '../state/rest-of-index.ts';
import { streamName } from '../state/session.ts';
import { uiStore } from '../state/stores.ts';
import { bytesText, countOf, countText } from '../ui/text.ts';

/** What is in the recordings, shown while no event is selected: where they come from, and how many of each event. */
export function RecordingOverview({ summary }: { summary: WorkspaceSummary }) {
  const types = useMemo(
    () => summary.eventTypes.filter((type) => type.count > 0).sort((a, b) => b.count - a.count),
    [summary],
  );
  const showOnly = (system: string, name: string) =>
    uiStore.setState({
      tableFilter: `system == ${quoteString(system)} && event == ${quoteString(name)}`,
      bottomTab: 'events',
    });
  return (
    <section className="details" aria-label="Recording">
      <p className="muted hint">Select an event in the lanes or in the table to see its fields.</p>
      {summary.recordings.map((recording) => (
        <dl key={recording.path} className="facts">
          <dt>File</dt>
          <dd className="wrap">{recording.path}</dd>
          <dt>Format</dt>
          <dd>
            {recording.format}
            {recording.version > 0 &&
              ` version ${recording.version}, ${recording.compression === 'none' ? 'not compressed' : recording.compression}`}
            , {bytesText(recording.bytes)}
          </dd>
          <dt>Machine</dt>
          <dd>
            {recording.longBytes * 8}-bit, {recording.byteOrder} endian, {bytesText(recording.pageBytes)} sub-buffers
          </dd>
          {recording.uname && (
            <>
              <dt>Kernel</dt>
              <dd className="wrap">{recording.uname}</dd>
            </>
          )}
        </dl>
      ))}
      <dl className="facts">
        {summary.streams.map((stream) => (
          <div key={stream.index} className="facts-group">
            <dt>{streamName(stream.index, summary)}</dt>
            <dd>
              {countOf(stream.cpus.length, 'CPU')}, {ofPart(countOf(stream.events, 'event'), summary)}
              {stream.clock && `, clock ${stream.clock}`}
            </dd>
          </div>
        ))}
      </dl>
      {types.length === 0 ? (
        <p className="muted hint">Nothing was recorded: there are no events.</p>
      ) : (
        <table className="event-types" aria-label="Event types">
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col" className="right">
                {summary.partial ? 'Count in the indexed part' : 'Count'}
              </th>
            </tr>
          </thead>
          <tbody>
            {types.map((type) => (
              <tr key={type.type}>
                <th scope="row">
                  <button
                    type="button"
                    className="plain mono"
                    title="Show only these in the table"
                    onClick={() => showOnly(type.system, type.name)}
                  >
                    <span className="muted">{type.system}:</span>
                    {type.name}
                  </button>
                </th>
                <td className="right numbers">{countText(type.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
