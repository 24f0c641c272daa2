import { readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkRecording } from '../check-recording.ts';
import { corpusFile } from '../corpus.ts';

const readme = corpusFile('README.md');
const listed = (folder: string): string[] => readdirSync(resolve(dirname(readme as string), folder));
const recordings =
  readme === null
    ? []
    : [
        ...listed('.').filter((name) => name.endsWith('.dat') || name.startsWith('raw-')),
        ...listed('text')
          .filter((name) => name.endsWith('.txt'))
          .map((name) => `text/${name}`),
      ];

it('the sample: index, reopened index and threads agree with the bytes', async () => {
  const { events } = await checkRecording(resolve(import.meta.dirname, '../../assets/samples/throttle.dat'));
  expect(events).toBe(248_749);
});

describe.skipIf(readme === null)(
  'every recording of the corpus: index, reopened index and threads agree with the bytes',
  () => {
    it.each(recordings)('%s', async (name) => {
      const { events } = await checkRecording(corpusFile(name) as string);
      expect(events).toBeGreaterThanOrEqual(0);
    });
  },
);
