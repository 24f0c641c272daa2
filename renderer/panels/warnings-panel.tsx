import type { WorkspaceSummary } from '../../shared/model.ts';
import { fileName } from '../state/session.ts';
import { countOf, countText } from '../ui/text.ts';

/** What was damaged or lost in the recordings: file, offset and part of the format. */
export function WarningsPanel({ summary }: { summary: WorkspaceSummary }) {
  const lost = summary.streams.filter((stream) => stream.lost > 0 || stream.gaps > 0);
  if (summary.warnings.length === 0 && lost.length === 0) {
    return <p className="muted empty-list">Everything in the recording could be read.</p>;
  }
  return (
    <div className="warnings">
      {lost.length > 0 && (
        <ul aria-label="Lost events">
          {lost.map((stream) => (
            <li key={stream.index}>
              {stream.name || 'The top buffer'} lost {countOf(stream.lost, 'event')} while recording
              {stream.gaps > 0 && `, and an unknown number in ${countOf(stream.gaps, 'more place')}`}: its ring buffer
              was too small or was read too slowly.
            </li>
          ))}
        </ul>
      )}
      {summary.warnings.length > 0 && (
        <table aria-label="Warnings">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col" className="right">
                Offset
              </th>
              <th scope="col">Section</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {summary.warnings.map((warning, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
              <tr key={index}>
                <td title={warning.file}>{fileName(warning.file)}</td>
                <td className="right numbers" title={`0x${warning.offset.toString(16)}`}>
                  {countText(warning.offset)}
                </td>
                <td>{warning.section}</td>
                <td>{warning.message.replace(`${warning.file}: `, '')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
