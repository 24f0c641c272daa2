import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildCgroupMap, type CgroupEvent, cgroupLabel, parseCgroupLines } from '../../../electron/derive/cgroups.ts';

/** `mkdir 99 /web`, `rename 99 /www` …, one a step; a line may start with its hierarchy, `root4 mkdir …`. */
const eventsOf = (story: string): CgroupEvent[] =>
  story
    .trim()
    .split('\n')
    .map((line, i) => {
      const [, root = '0', kind, id, path] = /^\s*(?:root(\d+) )?(\w+) (\d+) (.*)$/.exec(line) as RegExpExecArray;
      return { timeNs: i, root: Number(root), kind: kind as CgroupEvent['kind'], id, path };
    });

/** The paths that an inode means at times 0, 1, 2, … */
function paths(story: string, ino: string, lines = '', until = 6): string[] {
  const map = buildCgroupMap({ events: eventsOf(story), lines: parseCgroupLines(lines).lines });
  return Array.from({ length: until }, (_, time) => map.at(ino, time).path);
}

describe('the side file', () => {
  it('has an inode and a path on each line', () => {
    const text = '23 \n99 backup\n61 a b/c d \n\r\n137 /web/\r\n18446744073709551615 deep\n00042 x\n7\n';
    expect(parseCgroupLines(text)).toEqual({
      lines: [
        { ino: '23', path: '' },
        { ino: '99', path: 'backup' },
        { ino: '61', path: 'a b/c d ' },
        { ino: '137', path: 'web' },
        { ino: '18446744073709551615', path: 'deep' },
        { ino: '42', path: 'x' },
        { ino: '7', path: '' },
      ],
      bad: [],
    });
  });
  it('tells which lines are none', () =>
    expect(parseCgroupLines('# made by hand\nx y\n1 a\n-3 b').bad).toEqual([2, 4]));
  it('names inodes for all time; the empty path is the root', () => {
    const map = buildCgroupMap({ lines: parseCgroupLines('23 \n99 backup').lines });
    expect(map.at('99', -5)).toEqual({ ino: '99', path: 'backup' });
    expect(map.at('23', 5)).toEqual({ ino: '23', path: '/' });
    expect(map.at('77', 5)).toEqual({ ino: '77', path: '' });
  });
});

describe('cgroup events', () => {
  it('name an inode from mkdir on, also after rmdir: what it left is still written back', () => {
    expect(paths('seen 5 /x\nmkdir 99 /web\nrmdir 99 /web', '99')).toEqual(['', 'web', 'web', 'web', 'web', 'web']);
  });
  it('give an inode that is used again a new meaning', () => {
    const story = 'mkdir 99 /web\nrmdir 99 /web\nmkdir 5 /x\nmkdir 99 /db\nrmdir 99 /db';
    expect(paths(story, '99')).toEqual(['web', 'web', 'web', 'db', 'db', 'db']);
  });
  it('know what was there before, when it is seen', () => {
    expect(paths('mkdir 5 /x\nseen 99 /web\nrmdir 99 /web', '99', '', 3)).toEqual(['web', 'web', 'web']);
    expect(paths('mkdir 5 /x\nrmdir 99 /web', '99', '', 3)).toEqual(['web', 'web', 'web']);
  });
  it('rename a folder and all below it', () => {
    const story = 'mkdir 1000 /pods\nmkdir 99 /pods/web\nmkdir 98 /podsies\nrename 1000 /p\nmkdir 97 /p/db';
    expect(paths(story, '99')).toEqual(['', 'pods/web', 'pods/web', 'p/web', 'p/web', 'p/web']);
    expect(paths(story, '1000', '', 4)).toEqual(['pods', 'pods', 'pods', 'p']);
    expect(paths(story, '98')).toEqual(['', '', 'podsies', 'podsies', 'podsies', 'podsies']);
  });
  it('of v2 win over those of v1 hierarchies, whose inodes are their own', () => {
    expect(paths('root4 mkdir 99 /v1\nmkdir 99 /v2', '99', '', 3)).toEqual(['', 'v2', 'v2']);
    expect(paths('root4 mkdir 99 /v1', '99', '', 1)).toEqual(['v1']);
  });
  it('may come unordered', () => {
    const events = eventsOf('mkdir 99 /web\nmkdir 99 /db').reverse();
    expect(buildCgroupMap({ events }).at('99', 0).path).toBe('web');
  });
});

describe('both sources', () => {
  it('agree on the folder that the side file was made in', () => {
    const story = 'mkdir 23 /throttle\nmkdir 61 /throttle/db\nmkdir 99 /throttle/backup\nmkdir 12 /other';
    const lines = '23 \n61 db\n99 backup';
    expect(paths(story, '99', lines, 4)).toEqual(['', '', 'backup', 'backup']);
    expect(paths(story, '23', lines, 1)).toEqual(['/']);
    expect(paths(story, '12', lines, 4)[3]).toBe('/other');
    const later = `${story}\nmkdir 98 /throttle/late one`;
    expect(paths(later, '98', lines, 5)[4]).toBe('late one');
  });
  it('split the time where they say different things: the file tells what was before', () => {
    expect(paths('seen 5 /x\nmkdir 99 /db', '99', '99 web', 3)).toEqual(['web', 'db', 'db']);
    expect(paths('mkdir 99 /web\nmkdir 99 /db', '99', '99 db', 2)).toEqual(['web', 'db']);
  });
});

describe('ids before 5.5', () => {
  const events = eventsOf('mkdir 2 /web\nmkdir 3 /db');
  it('are no inodes where the field is 4 bytes wide', () => {
    const map = buildCgroupMap({ events, idBytes: 4 });
    expect(map.idsAreInodes).toBe(false);
    expect(map.at('2', 0)).toEqual({ ino: '2', path: '' });
    expect(map.entries).toEqual([]);
  });
  it('are no inodes where the side file has the same folders under other numbers', () => {
    const lines = parseCgroupLines('101 web\n102 db').lines;
    const map = buildCgroupMap({ events, idBytes: 4, lines });
    expect(map.idsAreInodes).toBe(false);
    expect(map.at('101', 0).path).toBe('web');
  });
  it('are inodes where the side file says so', () => {
    expect(buildCgroupMap({ events, idBytes: 4, lines: parseCgroupLines('2 web').lines }).idsAreInodes).toBe(true);
  });
  it('are inodes where the field is 8 bytes wide', () => expect(buildCgroupMap({ events }).idsAreInodes).toBe(true));
});

describe('values that are no inode of a cgroup', () => {
  const map = buildCgroupMap({});
  it.each(['0', '1', '4294967295'])('%s is the root', (ino) => expect(map.at(ino, 0)).toEqual({ ino, path: '/' }));
  it('paths of 4.4 are taken as they are', () => {
    expect(map.at('/user/1000.user', 0)).toEqual({ ino: '', path: 'user/1000.user' });
    expect(map.at('/', 0)).toEqual({ ino: '', path: '/' });
    expect(map.at('', 0)).toEqual({ ino: '', path: '/' });
  });
  it('has a label in any case', () => {
    expect(
      [
        { ino: '5', path: 'web' },
        { ino: '5', path: '' },
        { ino: '', path: '' },
        { ino: '1', path: '/' },
      ].map(cgroupLabel),
    ).toEqual(['web', 'inode 5', '/', '/']);
  });
});

it('gives every inode one meaning at a time, whatever happened', () => {
  const event = fc.record({
    timeNs: fc.nat(20),
    kind: fc.constantFrom('mkdir' as const, 'rmdir' as const, 'rename' as const, 'seen' as const),
    root: fc.constantFrom(0, 4),
    id: fc.constantFrom('2', '3', '4'),
    path: fc.constantFrom('/a', '/a/b', '/a/b/c', '/d', '/'),
  });
  const line = fc.record({ ino: fc.constantFrom('2', '3', '9'), path: fc.constantFrom('', 'a', 'b', 'x') });
  fc.assert(
    fc.property(fc.array(event), fc.array(line, { maxLength: 3 }), fc.nat(20), (events, lines, time) => {
      const { entries } = buildCgroupMap({ events, lines });
      for (const ino of ['2', '3', '4', '9']) {
        const current = entries.filter((entry) => entry.ino === ino && entry.fromNs <= time && time < entry.toNs);
        expect(current.length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 500 },
  );
});
