/**
 * Where Remora's report is meant to differ from trace-cmd's, because trace-cmd is wrong or fails: the text it printed,
 * the text that Remora prints, and why. Nothing else may differ.
 */
export interface ReportDifference {
  recording: string;
  command: 'report' | 'report -R';
  traceCmd: string;
  remora: string;
  reason: string;
}

/** None is known in the corpus. */
export const differences: ReportDifference[] = [];
