import { VoltstreamError } from '../../../errors.ts';

/** What is left of an error of ClickHouse, chDB or the network when it crosses a thread: enough to judge it. */
export interface WarehouseFailure {
  readonly message: string;
  /** ClickHouse's number, e.g. 60; a system's name, e.g. ENOSPC; null when there is none. */
  readonly code: string | null;
  /** ClickHouse's name, e.g. UNKNOWN_TABLE. */
  readonly type: string | null;
}

/** Errors that the same statement would meet again, however often it is sent. */
const permanentTypes: ReadonlySet<string> = new Set([
  'ACCESS_DENIED',
  'ALIAS_REQUIRED',
  'AUTHENTICATION_FAILED',
  'BAD_ARGUMENTS',
  'CANNOT_CONVERT_TYPE',
  'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN',
  'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
  'CANNOT_PARSE_TEXT',
  'CANNOT_READ_ALL_DATA',
  'DATA_TYPE_CANNOT_BE_USED_IN_KEY',
  'DUPLICATE_COLUMN',
  'ILLEGAL_AGGREGATION',
  'ILLEGAL_COLUMN',
  'ILLEGAL_FINAL',
  'ILLEGAL_TYPE_OF_ARGUMENT',
  'INCORRECT_DATA',
  'NOT_AN_AGGREGATE',
  'NOT_IMPLEMENTED',
  'NO_SUCH_COLUMN_IN_TABLE',
  'NUMBER_OF_ARGUMENTS_DOESNT_MATCH',
  'NUMBER_OF_COLUMNS_DOESNT_MATCH',
  'SYNTAX_ERROR',
  'TABLE_ALREADY_EXISTS',
  'TOO_LARGE_ARRAY_SIZE',
  'TOO_LARGE_STRING_SIZE',
  'TYPE_MISMATCH',
  'UNKNOWN_AGGREGATE_FUNCTION',
  'UNKNOWN_DATABASE',
  'UNKNOWN_ELEMENT_OF_ENUM',
  'UNKNOWN_FORMAT',
  'UNKNOWN_FUNCTION',
  'UNKNOWN_IDENTIFIER',
  'UNKNOWN_SETTING',
  'UNKNOWN_STORAGE',
  'UNKNOWN_TABLE',
  'UNKNOWN_TYPE',
  'UNKNOWN_USER',
  'VIOLATED_CONSTRAINT',
]);

const schemaTypes: ReadonlySet<string> = new Set([
  'NO_SUCH_COLUMN_IN_TABLE',
  'UNKNOWN_DATABASE',
  'UNKNOWN_IDENTIFIER',
  'UNKNOWN_TABLE',
]);

/** Its type is not read reliably: the statement's own text stands in the message, in brackets of its own. */
const syntaxForm = /Syntax error: failed at position/;

const diskFullForm = /NOT_ENOUGH_SPACE|ENOSPC|No space left on device|errno: 28\b/;

/** Reads what can be known of an error; understands ClickHouseError, chDB's own and Node's. */
export function warehouseFailure(error: unknown): WarehouseFailure {
  const message = error instanceof Error ? error.message : String(error);
  const fields = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; type?: unknown };
  const parsed = /Code: (\d+)\..*\(([A-Z0-9_]+)\)/s.exec(message);
  return {
    message,
    code: typeof fields.code === 'string' ? fields.code : (parsed?.[1] ?? null),
    type: typeof fields.type === 'string' ? fields.type : (parsed?.[2] ?? null),
  };
}

/**
 * The one error that callers see: DISK_FULL, WAREHOUSE_REFUSED (would fail again) or WAREHOUSE_UNAVAILABLE (may work the next
 * time). After the last one the outcome of an insert is unknown.
 */
export function warehouseError(failure: WarehouseFailure, where: string, cause: unknown = failure): VoltstreamError {
  const got = `${failure.type === null ? '' : `${failure.type}: `}${failure.message.trim().slice(0, 1_000)}`;
  if (diskFullForm.test(failure.message) || failure.type === 'NOT_ENOUGH_SPACE' || failure.code === 'ENOSPC') {
    return new VoltstreamError('DISK_FULL', 'the disk of the warehouse is full', { where, got, cause });
  }
  if (syntaxForm.test(failure.message) || (failure.type !== null && permanentTypes.has(failure.type))) {
    return new VoltstreamError('WAREHOUSE_REFUSED', 'ClickHouse refused a statement', {
      where,
      got,
      cause,
      ...(failure.type !== null && schemaTypes.has(failure.type) ? { cure: 'Apply the migrations of deploy/clickhouse, or correct the name of the table or column.' } : {}),
    });
  }
  return new VoltstreamError('WAREHOUSE_UNAVAILABLE', 'ClickHouse did not carry out a statement', { where, got, cause });
}
