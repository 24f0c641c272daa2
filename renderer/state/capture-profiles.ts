import * as z from 'zod';
import { createStore } from 'zustand/vanilla';
import { type CaptureForm, captureFormSchema } from './capture-form.ts';

/** Settings of captures that a person keeps: the last ones, and some by name. Kept by the browser or Electron for all windows. */
const KEY = 'remora-capture-profiles';

const schema = z.object({
  last: captureFormSchema.nullable().catch(null),
  profiles: z.record(z.string(), captureFormSchema).catch({}),
});
export type CaptureProfiles = z.infer<typeof schema>;

function read(): CaptureProfiles {
  try {
    const stored = schema.safeParse(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
    if (stored.success) return stored.data;
  } catch {
    // Damaged or forbidden storage: nothing is kept.
  }
  return { last: null, profiles: {} };
}

export const profilesStore = createStore<CaptureProfiles>(read);

function keep(state: CaptureProfiles): void {
  profilesStore.setState(state);
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // As above.
  }
}

/** The place of a recording is not part of what is kept: each capture has its own. */
const withoutPath = (form: CaptureForm): CaptureForm => ({ ...form, path: '' });

/** Machines that were captured from, or are in a profile. */
export function knownHosts({ last, profiles }: CaptureProfiles): string[] {
  const hosts = [last, ...Object.values(profiles)].map((form) => form?.host ?? '');
  return [...new Set(hosts.filter((host) => host !== ''))].sort();
}

export function rememberLast(form: CaptureForm): void {
  keep({ ...profilesStore.getState(), last: withoutPath(form) });
}

export function saveProfile(name: string, form: CaptureForm): void {
  const { profiles, last } = profilesStore.getState();
  keep({ last, profiles: { ...profiles, [name]: withoutPath(form) } });
}

export function deleteProfile(name: string): void {
  const { profiles, last } = profilesStore.getState();
  keep({ last, profiles: Object.fromEntries(Object.entries(profiles).filter(([key]) => key !== name)) });
}
