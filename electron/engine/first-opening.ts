import { type ParsedParams, params } from '../../shared/api.ts';

/**
 * How the files that a workbench was started with are to be opened: `remora serve FILE --workspace …`. The page asks to open them by
 * their paths alone, at first and whenever it is loaded again, and the engine adds the rest. It reaches the engine's
 * process, whoever starts that, in the environment.
 */
const VARIABLE = 'REMORA_FIRST_OPENING';

type Opening = ParsedParams<'open'>;

/** What to add to the environment; nothing where there is nothing to say beside the paths. */
export function firstOpeningEnv({ paths, ...options }: Opening): NodeJS.ProcessEnv {
  return Object.values(options).some((value) => value !== undefined)
    ? { [VARIABLE]: JSON.stringify({ paths, ...options }) }
    : {};
}

/** Completes a request for just those files. What it says itself counts. */
export function completedOpening(request: Opening, env = process.env): Opening {
  const text = env[VARIABLE];
  if (text === undefined) return request;
  const first = params.open.parse(JSON.parse(text));
  const same = first.paths.length === request.paths.length && first.paths.every((path, i) => path === request.paths[i]);
  return same ? { ...first, ...request } : request;
}
