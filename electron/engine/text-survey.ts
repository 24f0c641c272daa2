import type { Progress } from '../../shared/api.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import type { TextDialect } from '../parse/text-trace/dialect.ts';
import { type TextSurvey, TextSurveyor } from '../parse/text-trace/survey.ts';
import type { FileSource } from './file-source.ts';
import { recordingIdentity } from './identity.ts';
import { SurveyCache } from './survey-cache.ts';
import { scanText } from './text-import.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Where what was learned of a long text is kept; nowhere with `noCache`. */
  cacheFolder?: string | undefined;
  noCache?: boolean | undefined;
}

/** Reads all of a text once, or finds what was learned of it before. */
export async function surveyText(
  text: Pick<ByteSource, 'size' | 'read'>,
  source: FileSource,
  dialect: TextDialect,
  { signal, onProgress, cacheFolder, noCache = false }: ReadOptions,
): Promise<TextSurvey> {
  const cache = noCache ? null : SurveyCache.of(cacheFolder, recordingIdentity(source), text.size);
  const known = cache?.get(source.name) ?? null;
  if (known !== null) return known;
  const surveyor = new TextSurveyor(source.name, dialect);
  await scanText(text, (bytes, position, last) => surveyor.scan(bytes, position, last), {
    signal,
    onProgress: (done, total) => onProgress?.({ stage: 'Reading', unit: 'bytes', done, total }),
  });
  const found = surveyor.finish();
  cache?.put(found);
  return found;
}
