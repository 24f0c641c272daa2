import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { quoted, systemError } from '../../../electron/live/remote-machine.ts';
import { wanted, withoutEmpty } from '../../../electron/live/remote-ring.ts';
import { hostSchema } from '../../../shared/capture.ts';

const SIZE = 4096;
const bound = { dataBytes: 4080, nonblocking: true, worthIt: 16 };
const waiting = { ...bound, nonblocking: false };
const stats = (entries: number, bytes: number) => ({ entries, bytes, lost: 0, read: 0 });

test('whole sub-buffers are taken when they are worth a process, what is left of them when somebody waits', () => {
  expect(wanted(stats(700, 4080 * 10), false, bound)).toBe(0);
  expect(wanted(stats(1400, 4080 * 20 + 5), false, bound)).toBe(20);
  expect(wanted(stats(1400, 4080 * 20 + 5), true, bound)).toBe(21);
  expect(wanted(stats(1, 50), true, bound)).toBe(1);
  expect(wanted(stats(0, 0), true, bound)).toBe(0);
  expect(wanted(stats(1e6, 4080 * 50_000), false, bound)).toBe(1024);
  expect(wanted(stats(150, 4080 * 2), false, { ...bound, worthIt: 1 })).toBe(2);
});

test('a dd that can only wait is asked for nothing that may not be there', () => {
  // The kernel says it has 20 sub-buffers of events, but only so many events that they fit into one.
  expect(wanted(stats(300, 4080 * 20), true, waiting)).toBe(1);
  expect(wanted(stats(340 * 18, 4080 * 90), false, waiting)).toBe(18);
  expect(wanted(stats(340 * 18, 4080 * 90), true, waiting)).toBe(18);
  expect(wanted(stats(0, 4080 * 20), true, waiting)).toBe(0);
});

test('blocks that could not be read are left out, wherever they are', () => {
  const full = Buffer.alloc(SIZE, 7);
  const none = Buffer.alloc(SIZE);
  expect(withoutEmpty(Buffer.concat([full, full]), SIZE)).toEqual(Buffer.concat([full, full]));
  expect(withoutEmpty(Buffer.concat([none, full, none]), SIZE)).toEqual(full);
  expect(withoutEmpty(none, SIZE)).toHaveLength(0);
});

test('what tools say is the error that the same would be here', () => {
  const codeOf = (said: string): string | undefined =>
    (systemError(Buffer.from(said), 'x') as NodeJS.ErrnoException).code;
  expect(codeOf("dd: error writing '/t/filter': Invalid argument\n0+1 records in")).toBe('EINVAL');
  expect(codeOf("cat: can't open '/t/x': No such file or directory")).toBe('ENOENT');
  expect(codeOf("rmdir: '/t/i': Resource busy")).toBe('EBUSY');
  expect(codeOf("rmdir: failed to remove '/t/i': Device or resource busy")).toBe('EBUSY');
  expect(codeOf('dd: /t/buffer_size_kb: Out of memory')).toBe('ENOMEM');
  expect(codeOf('')).toBe('EIO');
});

test('any path is one word of shell', () => {
  const path = `/a b/$(id)/'"\\;*`;
  expect(spawnSync('sh', ['-c', `printf %s ${quoted(path)}`], { encoding: 'utf8' }).stdout).toBe(path);
});

test('a host is nothing that ssh would take for an option', () => {
  for (const host of ['web1', 'root@web1', 'ssh://me@web1:2222', '::1'])
    expect(hostSchema.safeParse(host).success).toBe(true);
  for (const host of ['', '-oProxyCommand=id', 'a b', 'a\nb']) expect(hostSchema.safeParse(host).success).toBe(false);
});
