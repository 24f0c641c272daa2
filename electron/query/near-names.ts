/** What was probably meant by a name that there is not: names a few edits away, for messages. */

/** `: did you mean a or b?`, or nothing. `written`: how a name is written where it is to be corrected. */
export function didYouMean(name: string, known: readonly string[], written = (name: string): string => name): string {
  const wanted = name.toLowerCase();
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const near = [...new Set(known)]
    .map((candidate) => ({ candidate, distance: nearness(wanted, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => written(candidate));
  return near.length === 0 ? '' : `: did you mean ${near.join(' or ')}?`;
}

/** Edits between two names; a system that was left out or written differently counts 1. */
function nearness(wanted: string, candidate: string): number {
  const event = candidate.slice(candidate.indexOf(':') + 1);
  const asked = wanted.replace(/^.*[:/.]/, '');
  return Math.min(editDistance(wanted, candidate), editDistance(asked, event) + (event === candidate ? 0 : 1));
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
