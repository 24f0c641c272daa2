/**
 * Errors that cross processes. Every error a user can meet says what happened, where, and what to do;
 * `code` is stable, so that callers can tell them apart without reading text.
 */
export type ErrorCode =
  | 'not-a-trace' // the file is no format that Remora reads
  | 'unsupported-version' // a trace.dat of a version that does not exist yet
  | 'damaged' // so damaged that nothing could be read
  | 'file' // the operating system refused: missing, a folder, permission, disk full
  | 'workspace' // the store cannot be used: newer version, locked, corrupt
  | 'bad-request' // a request that does not fit the contract
  | 'bad-expression' // text that a person typed (filter, series, time) and that does not parse
  | 'not-found' // the event, stream, annotation … named by a request does not exist
  | 'limit' // it took longer than the caller allowed, or more memory than is set aside
  | 'cancelled'
  | 'engine-gone' // the engine process ended; it has been restarted
  | 'internal';

export interface ErrorDetail {
  code: ErrorCode;
  message: string;
  /** The file the error is about. */
  file?: string;
  /** Byte offset in `file`. */
  offset?: number;
  /** Part of the format the offset lies in, such as `options` or `cpu data`. */
  section?: string;
  /** Position in the text that a person typed, in UTF-16 units. */
  position?: number;
  /** Which of several such texts: the place of an event's filter among the events chosen. */
  choice?: number;
  /** Of damage: what stands there in an intact file, and what does here. */
  expected?: string;
  found?: string;
}

/** The one error class of the project; survives a process boundary as its `detail`. */
export class RemoraError extends Error {
  readonly detail: ErrorDetail;
  constructor(detail: ErrorDetail, options?: ErrorOptions) {
    super(detail.message, options);
    this.name = 'RemoraError';
    this.detail = detail;
  }
  get code(): ErrorCode {
    return this.detail.code;
  }
}

/** Any thrown value as an ErrorDetail; unknown errors become `internal` and keep their message. */
export function toErrorDetail(error: unknown): ErrorDetail {
  if (error instanceof RemoraError) return error.detail;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** Damage in the input: counted, shown, never fatal by itself. Offsets are bytes from the start of `file`. */
export interface TraceWarning {
  file: string;
  offset: number;
  section: string;
  message: string;
  /** What stands there in an intact file, and what does here, where it can be told. */
  expected?: string;
  found?: string;
}
