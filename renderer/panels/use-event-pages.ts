import { useEffect, useMemo, useReducer } from 'react';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { query, reportError } from '../state/connection.ts';
import { EventPages } from './event-pages.ts';

/** The pages of a workspace's filtered list. What is wrong with the filter goes to `setError`, null when it is new. */
export function useEventPages(
  workspaceId: string,
  filter: string,
  setError: (error: ErrorDetail | null) => void,
): EventPages {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another workspace has other pages
  const pages = useMemo(
    () =>
      new EventPages(
        (first, count, signal) => query('rows', { first, count, filter, partial: true }, { signal }),
        redraw,
        (error) => {
          const detail = toErrorDetail(error);
          if (detail.code === 'bad-expression') setError(detail);
          else reportError(error);
        },
      ),
    [workspaceId, filter],
  );
  useEffect(() => {
    setError(null);
    return () => pages.close();
  }, [pages, setError]);
  return pages;
}
