import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import { wholeOf } from '../parse/byte-source.ts';
import { type FilePlace, latin1, tellAt } from '../parse/cursor.ts';
import type { EventFormat } from '../parse/event-format.ts';
import { LazyEventFormat } from '../parse/event-formats.ts';
import type { RecordingHead } from '../parse/recording.ts';

/** Problems of one text that are told each by itself. */
const MOST_OF_A_TEXT = 100;
const SHOWN_CHARS = 60;
const START: FilePlace = { offset: 0, unpackedAt: null };

/**
 * Everything that is wrong with a recording's head: what reading it told, and what is only met when its texts are used, which is
 * read here line by line.
 */
export function headProblems(head: RecordingHead, file: string): TraceWarning[] {
  // Read before the warnings are: what it meets is among them.
  const kallsyms = latin1(wholeOf(head.kallsyms()));
  return [
    ...head.warnings,
    ...formatProblems(head.formats, file),
    ...lineProblems(kallsyms, head.kallsymsAt ?? START, file, 'kallsyms', KALLSYMS, 'address type name'),
    ...lineProblems(
      head.printkFormats,
      head.printkFormatsAt ?? START,
      file,
      'printk formats',
      PRINTK,
      '0xaddress : "format"',
    ),
  ];
}

/** `ffffffff81000000 T _text`, and the module behind a tab. */
const KALLSYMS = /^[0-9a-f]+ [A-Za-z?] [\x21-\xff]+(?:\t\[[^\]]+\])?$/;
const PRINTK = /^0x[0-9a-f]+ : "/;

/** One problem for each run of lines that are none. */
function lineProblems(
  text: string,
  at: FilePlace,
  file: string,
  section: string,
  form: RegExp,
  expected: string,
): TraceWarning[] {
  const problems: TraceWarning[] = [];
  let runs = 0;
  let bad = 0;
  let begin = 0;
  for (let from = 0, inRun = false; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const to = newline < 0 ? text.length : newline;
    const line = text.slice(from, to);
    const wrong = line !== '' && !form.test(line);
    if (wrong) {
      bad++;
      if (!inRun) {
        runs++;
        begin = from;
        const found = shown(line);
        if (runs <= MOST_OF_A_TEXT)
          problems.push({
            file,
            section,
            ...tellAt(at, begin, `a line that is none: ${found}`),
            expected,
            found,
          });
      }
    }
    inRun = wrong;
    from = to + 1;
  }
  if (runs > MOST_OF_A_TEXT)
    problems.push({ file, section, ...tellAt(at, begin, `${bad} lines in all that are none`) });
  return problems;
}

/** The beginning of a text in quotes, nothing in it that a terminal would obey. */
function shown(text: string): string {
  const escaped = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  const plain = text.slice(0, SHOWN_CHARS).replaceAll(/[^\x20-\x7e]/g, escaped);
  return `"${plain}${text.length > SHOWN_CHARS ? '…' : ''}"`;
}

function formatProblems(formats: readonly EventFormat[], file: string): TraceWarning[] {
  const section = 'event formats';
  const byId = new Map<number, string>();
  return formats.flatMap((format): TraceWarning[] => {
    const at = format instanceof LazyEventFormat ? format.at : START;
    const name = `${format.system}:${format.name}`;
    const problems: TraceWarning[] = [];
    const other = byId.get(format.id);
    byId.set(format.id, name);
    if (other !== undefined && other !== name) {
      const message = `${name} has the id ${format.id}, and so has ${other}`;
      problems.push({
        file,
        section,
        ...tellAt(at, 0, message),
        expected: 'an id of its own',
        found: String(format.id),
      });
    }
    try {
      for (const line of format.unreadLines) {
        const found = shown(line);
        const message = `${name}: a line that declares no field: ${found}`;
        problems.push({
          file,
          section,
          ...tellAt(at, 0, message),
          expected: 'field:TYPE NAME; offset:N; size:N; signed:N;',
          found,
        });
      }
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error;
      problems.push({ file, section, ...tellAt(at, 0, `${name}: ${error.message}`) });
    }
    return problems;
  });
}
