import { addChart } from './cli/chart.ts';
import { addCheck } from './cli/check.ts';
import { addConvert } from './cli/convert.ts';
import { addEpisodes } from './cli/episodes.ts';
import { addInfo } from './cli/info.ts';
import { addOpen } from './cli/open.ts';
import { addRecord } from './cli/record.ts';
import { addReport } from './cli/report.ts';
import { runCommandLine } from './cli/run.ts';
import { addSeries } from './cli/series.ts';
import { addServe } from './cli/serve.ts';
import { addSql } from './cli/sql.ts';

/** Help, and what is mistyped, know of every command. One that is named has a bundle of its own, to load nothing else: see build.mjs. */
runCommandLine([
  // In the order of the help.
  addInfo,
  addReport,
  addSeries,
  addEpisodes,
  addSql,
  addChart,
  addConvert,
  addCheck,
  addRecord,
  addServe,
  addOpen,
]);
