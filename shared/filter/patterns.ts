import type { EventPattern } from './ast.ts';

/** The three kinds of patterns in filters: the kernel's globs, regular expressions, and patterns of event names. */

/** The kernel's glob over the whole text: `*`, `?`, `[a-z]`, `[!a-z]`, backslash (lib/glob.c). */
export function globTest(glob: string): (text: string) => boolean {
  // Most globs are one of these, which need no regular expression.
  if (/^[^*?[\]\\]*\*?$/.test(glob)) {
    if (!glob.endsWith('*')) return (text) => text === glob;
    const prefix = glob.slice(0, -1);
    return (text) => text.startsWith(prefix);
  }
  if (/^\*[^*?[\]\\]*\*?$/.test(glob)) {
    const core = glob.slice(1).replace(/\*$/, '');
    return glob.endsWith('*') ? (text) => text.includes(core) : (text) => text.endsWith(core);
  }
  const regex = new RegExp(`^${globSource(glob)}$`, 'su');
  return (text) => regex.test(text);
}

function globSource(glob: string): string {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i];
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '[') {
      const close = glob.indexOf(']', i + (glob[i + 1] === '!' || glob[i + 1] === '^' ? 3 : 2));
      if (close < 0) {
        source += '\\[';
        continue;
      }
      const set = glob.slice(i + 1, close);
      const negated = set.startsWith('!') || set.startsWith('^');
      source += `[${negated ? '^' : ''}${classSource(negated ? set.slice(1) : set)}]`;
      i = close;
    } else if (character === '\\' && i + 1 < glob.length) source += quoted(glob[++i]);
    else source += quoted(character);
  }
  return source;
}

/** The inside of a set: ranges stay, everything that means something to RegExp does not. A range backwards is empty. */
function classSource(set: string): string {
  const parts: string[] = [];
  const characters = [...set];
  for (let i = 0; i < characters.length; i++) {
    if (characters[i + 1] === '-' && i + 2 < characters.length) {
      const [from, to] = [characters[i], characters[i + 2]];
      if ((from.codePointAt(0) ?? 0) <= (to.codePointAt(0) ?? 0)) parts.push(`${escapeInSet(from)}-${escapeInSet(to)}`);
      i += 2;
    } else parts.push(escapeInSet(characters[i]));
  }
  return parts.join('');
}

const quoted = (character: string): string => (/[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character);
const escapeInSet = (character: string): string => (character === '-' ? '\\-' : quoted(character));

/** `=~`: found anywhere in the text, without regard to case, as libtraceevent does it. Throws SyntaxError. */
export const searchRegex = (pattern: string): RegExp => new RegExp(pattern, 'i');

/** Matches the whole of a name, without regard to case. Throws SyntaxError. */
export function nameRegex(pattern: string): RegExp {
  // `sched_*` is meant as a glob; as a regular expression it would match “sched” and “sched____”.
  const isGlob = /^[\w*?-]*$/.test(pattern) && /[*?]/.test(pattern);
  return new RegExp(`^(?:${isGlob ? globSource(pattern) : pattern})$`, 'i');
}

/** True where the pattern is about this event: libtraceevent's event_match(). */
export function eventTest(pattern: EventPattern): (system: string, event: string) => boolean {
  const name = nameRegex(pattern.event);
  if (pattern.system === null) return (system, event) => name.test(event) || name.test(system);
  const systemName = nameRegex(pattern.system);
  return (system, event) => systemName.test(system) && name.test(event);
}
