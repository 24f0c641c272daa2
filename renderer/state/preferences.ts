import * as z from 'zod';
import { bottomTabs, uiStore } from './stores.ts';

/** Preferences of the person, not of a workspace: kept by the browser or Electron for all windows. */
const KEY = 'remora-preferences';

const schema = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  wheelZooms: z.boolean(),
  bottomTab: z.enum(bottomTabs),
  layout: z.record(z.string(), z.record(z.string(), z.number())),
});

/** Reads the preferences and keeps them from now on. Where storage is refused, the defaults hold. */
export function keepPreferences(): void {
  try {
    const stored = schema.partial().safeParse(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
    if (stored.success) uiStore.setState(stored.data);
  } catch {
    // Damaged or forbidden storage: the defaults are fine.
  }
  let kept = '';
  uiStore.subscribe(({ theme, wheelZooms, bottomTab, layout }) => {
    const json = JSON.stringify({ theme, wheelZooms, bottomTab, layout });
    if (json === kept) return;
    kept = json;
    try {
      localStorage.setItem(KEY, json);
    } catch {
      // As above.
    }
  });
}
