/**
 * Every error that voltstream raises for the world's failures, with its cause and its cure.
 *
 * A code is part of the public interface: it never changes its meaning. `docs/errors.md` lists the same codes, and a
 * test fails when the two disagree. Programming errors of ours are assertions (`assertInvariant`), not entries here.
 *
 * `passing` ones are the world's around us (a server that is away, a full disk): the same call may succeed later without any
 * change of ours, so whoever meets one waits and tries again.
 */
export const errorCatalogue = {
  // topology
  TOPOLOGY_INVALID: {
    cause: 'The topology cannot be run as it was written.',
    cure: 'Change the named step as the message says.',
  },
  // state
  STATE_MISSING: {
    cause: 'The consumer group has committed offsets, but the state store holds nothing for this task.',
    cure: 'Restore the store, or start over with --reset, which begins a new run and reads the input again.',
  },
  STATE_INCOMPATIBLE: {
    cause: 'State was written in a form that the present topology cannot read.',
    cure: 'Change the codec or the kind of the store back, or let go of its state with topology.dropState.',
  },
  STATE_ORPHANED: {
    cause: 'State belongs to steps or sources that the topology no longer has.',
    cure: 'Bring them back under their names, or let go of their state with topology.dropState.',
  },
  STATE_INCOMPLETE: {
    cause: 'The import of a savepoint into this state store has not come to its end.',
    cure: 'Import the same savepoint again; it starts over.',
  },
  STATE_EXISTS: {
    cause: 'The state store holds state of this application already.',
    cure: 'Import into an empty store, or replace what is there with --replace.',
  },
  // simulator
  PROFILE_INVALID: {
    cause: 'A profile of the simulator cannot be read, or has fields that cannot be.',
    cure: 'Correct the fields that the message names; docs/simulator.md explains each, and simulator/profiles has examples.',
  },
  LEDGER_UNREADABLE: {
    cause: 'The ledger of a simulation is not there, not complete, or has lines that are none of it.',
    cure: 'Name the folder that voltstream simulate has written; files that end in .part are of a simulation that was ended early: let it go on to its end.',
  },
  STORE_UNKNOWN: {
    cause: 'The topology has no store of this name, or one of another kind.',
    cure: 'Choose one of those that voltstream state lists.',
  },
  SAVEPOINT_INVALID: {
    cause: 'A file is no savepoint, is damaged, or belongs to another application or topology.',
    cure: 'Use a whole savepoint of the same application; nothing was written.',
  },
  FENCED: {
    cause: 'Another process has claimed this task.',
    cure: 'Nothing to do: the task drops its memory and claims again after its next heartbeat.',
  },
  REWOUND: {
    cause: 'The state store went back to an older state (a fail-over or a restored backup).',
    cure: 'Nothing to do: the task loads the older state and reads the input again from there.',
  },
  STORE_UNAVAILABLE: {
    cause: 'The state store did not answer.',
    cure: 'Check that it runs and can be reached; processing goes on by itself as soon as it answers.',
    passing: true,
  },
  STORE_SETTING: {
    cause: 'The server of the state store is set up so that it could lose state without a word, or takes no writes.',
    cure: 'Change its setting as the message says, then start again.',
  },
  // log
  LOG_UNAVAILABLE: {
    cause: 'The log (Kafka, or the embedded log) did not answer.',
    cure: 'Check that it runs and can be reached.',
    passing: true,
  },
  LOG_REFUSED: {
    cause: 'The log refused this process for good: a wrong user, password or token, a certificate that is not trusted, a right that is missing, or something that the brokers do not take.',
    cure: 'Check log.sasl and log.ssl, and the rights of this user on topics, groups and transactional ids.',
  },
  TOPIC_MISCONFIGURED: {
    cause: 'A topic exists with settings that would lose records or history.',
    cure: 'Change the setting as the message says, or let voltstream do it with log.topics.onMismatch: repair.',
  },
  RECORD_TOO_LARGE: {
    cause: 'A record is larger than its topic takes.',
    cure: 'Raise max.message.bytes of the topic (and message.max.bytes of the broker).',
  },
  RECORDS_DAMAGED: {
    cause: 'Records that a broker sent do not match their check sum, or cannot be decompressed or read.',
    cure: 'If it happens again at the same offset, the broker’s disk holds damaged data: restore that partition from a replica.',
  },
  OFFSET_OUT_OF_RANGE: {
    cause: 'The position in the state store is no longer in the log, or not yet.',
    cure: 'Choose what to do with the setting onOffsetOutOfRange, or start over with --reset.',
  },
  TOPIC_MISSING: {
    cause: 'A topic that the topology reads or writes does not exist.',
    cure: 'Create it, or allow voltstream to create topics.',
  },
  PARTITIONS_CHANGED: {
    cause: 'A topic has another number of partitions than when its state was written.',
    cure: 'Bring back the old number, or replay into a new application with --reset.',
  },
  // warehouse
  WAREHOUSE_UNAVAILABLE: {
    cause: 'ClickHouse did not answer or refused a statement.',
    cure: 'Check that it runs and can be reached; nothing is lost meanwhile, the outbox keeps what is due.',
    passing: true,
  },
  WAREHOUSE_REFUSED: {
    cause: 'ClickHouse refused a statement or rows in a way that another attempt would not change.',
    cure: 'See what it answered; correct the table, the column types, the access rights or the statement, then start again.',
  },
  WAREHOUSE_SETTING: {
    cause: 'A table lacks a setting that exactly-once delivery needs.',
    cure: 'Change the table as the message says, then start again.',
  },
  DISK_FULL: {
    cause: 'There is no room left on the disk that holds the data folder; embedded log and state leave 32 MB of it free.',
    cure: 'Make room; processing goes on by itself.',
    passing: true,
  },
  MIGRATION_CHANGED: {
    cause: 'A migration file is not the one that was applied, or cannot be applied safely.',
    cure: 'Put the file back as it was and write the change as a new migration.',
  },
  // schemas
  SCHEMA_UNKNOWN: {
    cause: 'A record names a schema id that the registry does not know.',
    cure: 'Register the schema, or find out who wrote the record; it is in the dead letters with its bytes.',
  },
  SCHEMA_INCOMPATIBLE: {
    cause: 'A schema cannot read what its earlier versions have written.',
    cure: 'Give new fields defaults, do not change types, or register it under another subject.',
  },
  DESERIALISATION_FAILED: {
    cause: 'The bytes of a record do not fit its schema.',
    cure: 'See the dead letter for the bytes and the reason, mend the producer, and send the record again.',
  },
  SERIALISATION_FAILED: {
    cause: 'A value does not fit the schema or codec that it is to be written with.',
    cure: 'Mend the function that made the value; the message names the field.',
  },
  SCHEMA_INVALID: {
    cause: 'A schema is not valid Avro, or cannot be used for values of this process.',
    cure: 'Change the schema as the message says.',
  },
  REGISTRY_UNAVAILABLE: {
    cause: 'The schema registry did not answer, or refused to.',
    cure: 'Check its address and credentials; what needs it is tried again.',
    passing: true,
  },
  // processing
  PROCESSING_FAILED: {
    cause: 'A function of the topology threw for a record.',
    cure: 'See the dead letter or the log for step, record and error; mend the function and deploy it.',
  },
  BUFFER_FULL: {
    cause: 'A suppression holds back more than its buffer may, and must not send anything too early.',
    cure: 'Give the buffer a higher limit, or the windows a shorter grace; nothing was committed since the last commit.',
  },
  EVENT_UNBELIEVABLE: {
    cause: 'An event says something that cannot be used: an absurd time or energy, no station, another key than its station.',
    cure: 'See the dead letter for the event; mend the charger or what sends its events, and send it again.',
  },
  // configuration and use
  CONFIGURATION_INVALID: {
    cause: 'A configuration key is unknown or its value is not allowed.',
    cure: 'Change it as the message says.',
  },
  LOGIN_REFUSED: {
    cause: 'A server (Redis, ClickHouse or the schema registry; for Kafka see LOG_REFUSED) refused the login, or there is no trust between its certificate and ours.',
    cure: 'Correct the user name, password or certificate in the settings that the message names.',
  },
  HTTP_PORT_BUSY: {
    cause: 'Another program listens on the port of the live page.',
    cure: 'Stop it, or choose another port with --port; 0 takes any free one.',
  },
  QUERY_REFUSED: {
    cause: 'The query interface of a running process only reads its own tables.',
    cure: 'Ask with one SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN statement over tables.',
  },
  BATCH_REFUSED: {
    cause: 'More rows of a session log fail a check than `--fail-above` or the check’s `maxShare` allow. Nothing of the batch was taken.',
    cure: 'Look at the rows named; correct the file or the mapping, or raise the share.',
  },
  SOURCE_BUSY: {
    cause: 'Another ingestion of the same source works on this data folder; both would take the same rows.',
    cure: 'Wait until it has ended.',
  },
  DATA_FOLDER_BUSY: {
    cause: 'Another process works on this data folder.',
    cure: 'Stop it, or use another folder with --data.',
  },
} as const satisfies Record<string, { readonly cause: string; readonly cure: string; readonly passing?: true }>;

export type ErrorCode = keyof typeof errorCatalogue;

/** The record that an error is about. */
export interface RecordPlace {
  readonly task: string;
  readonly step: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface ErrorDetails {
  /** Where it happened: step, task, topic-partition-offset, file:line, table. */
  readonly where?: string;
  readonly wanted?: string;
  readonly got?: string;
  readonly cause?: unknown;
  /** For log lines, which have these as fields of their own. */
  readonly record?: RecordPlace;
  /** Replaces the catalogue's general cure by a more exact one. */
  readonly cure?: string;
}

/** An error with a code of the catalogue; its message says what, where, what was wanted, what came, and the cure. */
export class VoltstreamError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly #what: string;
  readonly #details: ErrorDetails;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const parts = [`${code}: ${what}`];
    if (details.where !== undefined) parts.push(`where: ${details.where}`);
    if (details.wanted !== undefined) parts.push(`wanted: ${details.wanted}`);
    if (details.got !== undefined) parts.push(`got: ${details.got}`);
    parts.push(`cure: ${details.cure ?? errorCatalogue[code].cure}`);
    super(parts.join('\n  '), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'VoltstreamError';
    this.code = code;
    this.where = details.where;
    this.#what = what;
    this.#details = details;
  }

  /** The record that it is about, when it is about one. */
  recordPlace(): RecordPlace | null {
    return this.#details.record ?? null;
  }

  /** The same error with the place where it was met in front of its own; this one is its cause. */
  at(where: string, record?: RecordPlace): VoltstreamError {
    return new VoltstreamError(this.code, this.#what, {
      ...this.#details, where: this.where === undefined ? where : `${where}, ${this.where}`, cause: this, ...(record === undefined ? {} : { record }),
    });
  }
}

/** Whether the same call may succeed later, as the catalogue says of the error's code. */
export function isPassing(error: unknown): error is VoltstreamError {
  return error instanceof VoltstreamError && 'passing' in errorCatalogue[error.code];
}

/** A bug of our own: stops the task before it commits something wrong, and is never made a dead letter. */
export class InvariantViolation extends Error {
  constructor(message: string) {
    super(`invariant violated: ${message}`);
    this.name = 'InvariantViolation';
  }
}

/** Assertions stay on in production. */
export function assertInvariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}
