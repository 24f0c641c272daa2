import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { EventNames } from '../parse/text-trace/event-names.ts';
import type { TextSurvey } from '../parse/text-trace/survey.ts';
import { makeFolder } from '../store/folders.ts';

/** To be raised with every change of what a survey says of the same text. */
const SURVEY_VERSION = 1;
/** Reading less again costs less than a file. */
const WORTH_KEEPING_BYTES = 1 << 20;

type Kept = Omit<TextSurvey, 'names'> & { version: number; names: string[] };

/**
 * Surveys of texts, kept in the cache folder by the recording's identity, so that a text that has its index opens without
 * being read. Losing one costs one pass over its text.
 */
export class SurveyCache {
  readonly #path: string;

  /** Null where nothing is to be kept. */
  static of(cacheFolder: string | undefined, identity: string, bytes: number): SurveyCache | null {
    return cacheFolder === undefined || bytes < WORTH_KEEPING_BYTES ? null : new SurveyCache(cacheFolder, identity);
  }

  private constructor(cacheFolder: string, identity: string) {
    const key = createHash('sha256').update(identity).digest('hex').slice(0, 16);
    this.#path = join(cacheFolder, 'surveys', key);
  }

  /** `file` is the name that the text has now, for its warnings. */
  get(file: string): TextSurvey | null {
    try {
      const { version, names, ...survey } = deserialize(readFileSync(this.#path)) as Kept;
      if (version !== SURVEY_VERSION) return null;
      const warnings = survey.warnings.map((warning) => ({ ...warning, file }));
      return { ...survey, warnings, names: new EventNames(names) };
    } catch {
      return null; // not there, or not whole
    }
  }

  put(survey: TextSurvey): void {
    const kept: Kept = { ...survey, version: SURVEY_VERSION, names: survey.names.names };
    const temporary = `${this.#path}.${process.pid}.part`;
    try {
      makeFolder(dirname(this.#path));
      writeFileSync(temporary, serialize(kept));
      renameSync(temporary, this.#path);
    } catch {
      // A cache folder that cannot be written is told where it matters: when a workspace is kept in it.
      rmSync(temporary, { force: true });
    }
  }
}
