import * as z from 'zod';

/**
 * The chart spec: what the window shows, the session keeps, the command line reads and the exporter draws.
 * Version 1. Times are ns relative to the workspace origin. Schemas are made when something is first parsed with them.
 */
export const CHART_SPEC_VERSION = 1;

/** How a series is drawn. */
export const seriesStyles = ['step', 'line', 'points', 'bars', 'area'] as const;
/** Which value of a pixel's samples the line shows; the min–max envelope is always kept. */
export const aggregates = ['last', 'mean', 'min', 'max', 'sum', 'count'] as const;

export const seriesSpecSchema = z.lazy(() =>
  z.strictObject({
    /** Expression over the fields of one event type: `writeback:balance_dirty_pages.dirty`. Grammar: shared/expression. */
    expr: z.string().min(1).max(2000),
    /** A field of the same event, or `cpu`, `task`, `pid`, `cgroup`; empty: one line. */
    groupBy: z.string().max(200).default(''),
    /** Filter language over the same event; empty: all. */
    where: z.string().max(2000).default(''),
    aggregate: z.enum(aggregates).default('last'),
    style: z.enum(seriesStyles).default('step'),
    axis: z.enum(['left', 'right']).default('left'),
    /** Unit to show, of the same dimension as the field's own (pages → MiB); empty: the field's own. */
    unit: z.string().max(40).default(''),
  }),
);
export type SeriesSpec = z.infer<typeof seriesSpecSchema>;

/** Tasks that get a lane: one by its pid (of every stream that knows it, or of one), or all that have a name. */
export const taskChoiceSchema = z.lazy(() =>
  z.union([
    z.strictObject({ pid: z.int().positive(), stream: z.int().nonnegative().optional() }),
    z.strictObject({ comm: z.string().min(1).max(100) }),
  ]),
);
export type TaskChoice = z.infer<typeof taskChoiceSchema>;
/** More lanes than these say nothing, and a picture of them has no end. */
export const MOST_TASK_LANES = 64;

export const panelSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('lanes'),
      /** Which lanes: one per CPU (of every stream), one per task, or one episode ribbon per cgroup. */
      by: z.enum(['cpu', 'task', 'episodes']),
      /** With `by: 'task'`, which ones, in this order; left out: those that ran longest in the window. */
      tasks: z.array(taskChoiceSchema).min(1).max(MOST_TASK_LANES).optional(),
      heightPx: z.number().positive().max(4000).optional(),
    }),
    z.strictObject({
      kind: z.literal('plot'),
      title: z.string().max(200).default(''),
      series: z.array(seriesSpecSchema).min(1).max(32),
      scale: z.enum(['linear', 'log']).default('linear'),
      /** Lines that are switched off, as `lineKey` names them; the others keep their colours. */
      hidden: z.array(z.string().max(2000)).max(2000).optional(),
      heightPx: z.number().positive().max(4000).optional(),
    }),
  ]),
);
export type PanelSpec = z.infer<typeof panelSchema>;
export type PlotPanelSpec = Extract<PanelSpec, { kind: 'plot' }>;

export const chartSpecSchema = z.lazy(() =>
  z.strictObject({
    version: z.literal(CHART_SPEC_VERSION),
    title: z.string().max(400).default(''),
    /** Empty window: the whole workspace. */
    window: z.strictObject({ fromNs: z.number(), toNs: z.number() }).nullable().default(null),
    panels: z.array(panelSchema).max(64),
    /** Draw the workspace's annotations. */
    annotations: z.boolean().default(true),
  }),
);
export type ChartSpec = z.infer<typeof chartSpecSchema>;
