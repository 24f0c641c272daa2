import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import { annotationSchema, type Engine } from '../../shared/api.ts';
import { CHART_SPEC_VERSION, type ChartSpec, chartSpecSchema, type PanelSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { presetChart, presets } from '../../shared/presets.ts';
import { refusedOutput } from '../export/refused-output.ts';
import { exitCode } from './exit-code.ts';
import { allOf } from './filter-option.ts';
import { action, type CommandHost, repeated } from './host.ts';
import { type InputOptions, readInput, withInput } from './input.ts';
import { type LanesPanel, parseLanes } from './lanes-option.ts';
import { tableLines, writeJson, writeLines } from './output.ts';
import { plotOf } from './plot-option.ts';
import { parseWindow } from './time-point.ts';

interface ChartOptions extends InputOptions {
  output?: string;
  spec?: string;
  preset?: string;
  list?: boolean;
  plot?: string[];
  lanes?: LanesPanel[];
  episodes?: boolean;
  annotations?: string;
  size: { widthPx: number; heightPx?: number };
  theme: 'light' | 'dark';
  title?: string;
}

const formats = ['svg', 'png'] as const;
type Format = (typeof formats)[number];

export function addChart(program: Command, host: CommandHost): void {
  const command = new Command('chart').description('draws a chart into a file: svg or png by its ending');
  withInput(command)
    .option('-o, --output <file>', 'where to write')
    .option('--spec <chart.json>', 'a chart spec, as the window exports it')
    .option('--preset <name>', 'a ready-made chart')
    .option('--list', 'list the ready-made charts and end')
    .option(
      '--plot <spec>',
      'a plot: `system:event.field [by FIELD] [where FILTER] [as AGGREGATE]`; may be repeated',
      repeated,
    )
    .addOption(
      new Option(
        '--lanes <kinds>',
        'lanes above the plots: cpu, cgroup, task (those that ran longest), task:PID, task:COMM; several with commas',
      ).argParser(parseLanes),
    )
    .option('--episodes', 'throttle episodes as a ribbon per cgroup')
    .option('--annotations <file.json>', 'notes to draw instead of those in the workspace')
    .addOption(
      new Option('--size <WxH>', 'in pixels; without a height, what the panels need')
        .argParser(parseSize)
        .default({ widthPx: 1600 }, '1600'),
    )
    .addOption(new Option('--theme <name>', 'colours').choices(['light', 'dark']).default('light'))
    .option('--title <text>', 'heading of the chart');
  // `chart --list` needs no recording.
  for (const argument of command.registeredArguments) argument.required = false;
  command.action(
    action(host, async (files: string[], options: ChartOptions) => {
      if (options.list) {
        await writeLines(
          host.stdout,
          tableLines(
            ['name', 'what it shows'],
            presets.map(({ name, description }) => [name, description]),
          ),
        );
        return exitCode.done;
      }
      if (files.length === 0) command.error("error: missing required argument 'file'");
      if (options.output === undefined) command.error("error: required option '-o, --output <file>' not specified");
      const output = resolve(options.output as string);
      const format = formatOf(output);
      return readInput(files, options, host, async ({ engine, summary, messages }) => {
        const spec = await chartSpec(options, summary);
        const notes = options.annotations === undefined ? null : await readAnnotations(options.annotations);
        const call: Engine['call'] = (method, params, callOptions) =>
          method === 'annotations' && notes !== null
            ? (Promise.resolve(notes) as ReturnType<Engine['call']> as never)
            : engine.call(method, params, { signal: host.signal, ...callOptions });
        const request = { workspaceId: summary.workspaceId, spec, format, theme: options.theme, ...options.size };
        const { exportChart } = await import('../export/chart-data.ts');
        const { bytes } = await exportChart(call, summary, request);
        await writeWhole(output, bytes);
        if (options.json) await writeJson(host.stdout, { file: output, format, bytes: bytes.length, spec });
        else messages.say(`${output}: ${bytes.length.toLocaleString('en')} bytes`);
      });
    }),
  );
  program.addCommand(command);
}

/** The chart that the options describe. */
async function chartSpec(options: ChartOptions, summary: WorkspaceSummary): Promise<ChartSpec> {
  const spec = await baseSpec(options, summary);
  const windowed = options.from !== undefined || options.to !== undefined;
  return {
    ...spec,
    panels: narrowed(spec.panels, options.filter),
    title: options.title ?? spec.title,
    window: windowed ? parseWindow(options, summary) : spec.window,
  };
}

/** `--filter` chooses the events of every plot. Lanes and episodes show all: where nothing else is drawn, it is refused. */
function narrowed(panels: readonly PanelSpec[], filter = ''): PanelSpec[] {
  if (filter !== '' && !panels.some(({ kind }) => kind === 'plot'))
    throw usage('--filter chooses the events of plots, and this chart has none: leave it out, or add --plot.');
  return panels.map((panel) =>
    panel.kind === 'plot'
      ? { ...panel, series: panel.series.map((series) => ({ ...series, where: allOf(series.where, filter) })) }
      : panel,
  );
}

async function baseSpec(options: ChartOptions, summary: WorkspaceSummary): Promise<ChartSpec> {
  const asked = options.lanes ?? [];
  const lanes: PanelSpec[] = options.episodes
    ? [{ kind: 'lanes', by: 'episodes' }, ...asked.filter(({ by }) => by !== 'episodes')]
    : asked;
  const plots = (options.plot ?? []).map(
    (text): PanelSpec => ({ kind: 'plot', title: '', series: [plotOf(text)], scale: 'linear' }),
  );
  if (options.spec !== undefined && options.preset !== undefined)
    throw usage('--spec and --preset are both a whole chart: give one of them.');
  if (options.spec !== undefined) {
    const spec = await readJson(options.spec, chartSpecSchema, 'chart spec');
    return { ...spec, panels: [...lanes, ...spec.panels, ...plots] };
  }
  if (options.preset !== undefined) {
    const spec = presetChart(options.preset, summary.eventTypes);
    return { ...spec, panels: [...lanes, ...spec.panels, ...plots] };
  }
  const panels = [...lanes, ...plots];
  if (panels.length === 0) throw usage('Nothing to draw: give --spec, --preset, --plot, --lanes or --episodes.');
  return { version: CHART_SPEC_VERSION, title: '', window: null, panels, annotations: true };
}

const usage = (message: string): RemoraError => new RemoraError({ code: 'bad-request', message });

function formatOf(path: string): Format {
  const ending = extname(path).slice(1).toLowerCase();
  const format = formats.find((known) => known === ending);
  if (format !== undefined) return format;
  throw usage(
    `${basename(path)}: the ending says what to write, and has to be one of ${formats.map((known) => `.${known}`).join(', ')}.`,
  );
}

function parseSize(text: string): ChartOptions['size'] {
  const found = /^(\d+)(?:x(\d+))?$/.exec(text);
  if (found === null) throw new InvalidArgumentError('A size is WIDTHxHEIGHT or WIDTH, in pixels.');
  const [widthPx, heightPx] = [Number(found[1]), found[2] === undefined ? undefined : Number(found[2])];
  if (widthPx < 200 || widthPx > 20_000) throw new InvalidArgumentError('The width is from 200 to 20000 pixels.');
  if (heightPx !== undefined && (heightPx < 100 || heightPx > 20_000))
    throw new InvalidArgumentError('The height is from 100 to 20000 pixels.');
  return { widthPx, heightPx };
}

/** Annotations as a list, or as the `annotations` of an object, which is how the workspace keeps them beside a recording. */
function readAnnotations(path: string): Promise<z.output<typeof annotationSchema>[]> {
  const list = z.array(annotationSchema);
  return readJson(
    path,
    z.union([list, z.object({ annotations: list }).transform(({ annotations }) => annotations)]),
    'list of annotations',
  );
}

async function readJson<T extends z.ZodType>(path: string, schema: T, what: string): Promise<z.output<T>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason =
      error instanceof SyntaxError
        ? `it is no JSON (${error.message})`
        : `it cannot be read (${(error as Error).message})`;
    throw new RemoraError({ code: 'file', file: path, message: `${path}: ${reason}.` }, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RemoraError({
    code: 'file',
    file: path,
    message: `${path} is no ${what}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}.`,
  });
}

/** Writes a file whole or not at all. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    await writeFile(unfinished, bytes, { flag: 'wx' });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw refusedOutput(path, error);
  }
}
