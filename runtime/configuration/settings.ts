import { choice, flag, integer, list, optional, optionalInteger, words } from './setting.ts';

const httpUrl = /^https?:\/\/[^\s/]+/;
const hostAndPort = /^[^\s:,]+:\d{1,5}$/;

/**
 * Every setting of the engine, in this one place, nested as in a configuration file. The type `Configuration`, the names of
 * environment variables and flags, and the table in `docs/configuration.md` come from here.
 */
export const settings = {
  applicationId: words({
    default: 'voltstream',
    reason: 'Names the consumer group and all state; another name is another application, which starts from the beginning.',
  }, /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, . _ - (at most 100)'),
  dataFolder: words({
    default: '.voltstream', alias: 'data',
    reason: 'Everything embedded lives here (log, state, ClickHouse), beside where the command was called; one process a folder.',
  }),
  partitions: integer({
    default: 1,
    reason: 'Partitions of topics that voltstream creates. One process gains nothing from more: each has commits and inserts of its own. With Kafka, choose the most processes that will ever share the work: the number is recorded with the state, and a change is refused.',
  }, 1, 1024),
  log: {
    kind: choice(['embedded', 'kafka'], {
      default: 'embedded', reason: 'Embedded needs no server; with kafka several processes share the work.',
    }),
    brokers: list({
      default: [], reason: 'Kafka brokers to ask first. Needed with log.kind kafka, refused without.',
    }, hostAndPort, 'list of host:port'),
    sessionTimeoutMs: integer({
      default: 30_000, reason: 'A process that Kafka has not heard of for so long loses its tasks; long enough for a full garbage collection and a slow store.',
    }, 1_000, 3_600_000),
    heartbeatIntervalMs: integer({
      default: 3_000, reason: 'A tenth of the session time-out: nine heartbeats may be lost.',
    }, 100, 600_000),
    instanceId: optional({
      default: null, reason: 'A name of this process that stays over restarts (a pod of a stateful set): one that is back within the session gets its tasks without a rebalance, and nobody takes them before. Not set: tasks move at once.',
    }, /^[A-Za-z0-9._-]{1,200}$/, 'letters, digits, . _ -'),
    replicationFactor: optionalInteger({
      default: null, reason: 'Replicas of topics that voltstream creates; not set: the default of the brokers.',
    }, 1, 100),
    topicPrefix: optional({
      default: null, reason: 'In front of the name of every topic in the cluster, so that a second application does not meet the topics of the first; subjects of the schema registry stay as they are.',
    }, /^[A-Za-z0-9._-]{1,100}$/, 'letters, digits, . _ - (at most 100)'),
    topics: {
      onMismatch: choice(['fail', 'repair', 'warn'], {
        default: 'fail', reason: 'What to do with a topic that exists with settings which would lose records or history: stop with what to change, change it, or say so and go on.',
      }),
    },
    sasl: {
      mechanism: choice(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'], {
        default: 'none', reason: 'How to log in to the brokers.',
      }),
      username: optional({ default: null, reason: 'Needed with plain and scram.' }),
      password: optional({ default: null, secrecy: 'secret', reason: 'Needed with plain and scram; best given by environment variable.' }),
      tokenFile: optional({ default: null, reason: 'With oauthbearer: a file with the token, read at each login, so that another program can renew it.' }, /\S/, 'path'),
      tokenEndpoint: optional({
        default: null, secrecy: 'url', reason: 'With oauthbearer, instead of a file: asked for a token by client credentials, and again before it is over.',
      }, httpUrl, 'http:// or https:// URL'),
      clientId: optional({ default: null, reason: 'Needed with a token endpoint.' }),
      clientSecret: optional({ default: null, secrecy: 'secret', reason: 'Needed with a token endpoint; best given by environment variable.' }),
      scope: optional({ default: null, reason: 'What the token endpoint is asked for, where it wants that.' }),
    },
    ssl: {
      enabled: flag({ default: false, reason: 'TLS to the brokers.' }),
      caFile: optional({ default: null, reason: 'PEM file of the authority that signed the brokers; else those that Node trusts.' }, /\S/, 'path'),
      certificateFile: optional({ default: null, reason: 'PEM file of the client certificate, together with its key.' }, /\S/, 'path'),
      keyFile: optional({ default: null, reason: 'PEM file of the key of the client certificate.' }, /\S/, 'path'),
    },
  },
  state: {
    kind: choice(['lmdb', 'redis'], {
      default: 'lmdb', reason: 'LMDB lies in the data folder of one process; with redis any process can take over any task.',
    }),
    url: optional({
      default: null, secrecy: 'url', reason: 'Redis, as redis://[user:password@]host:port[/database] or rediss://. Needed with state.kind redis, refused without.',
    }, /^rediss?:\/\/[^\s/]+/, 'redis:// or rediss:// URL'),
    username: optional({ default: null, reason: 'User of Redis’ access list (ACL), when the URL does not say.' }),
    password: optional({ default: null, secrecy: 'secret', reason: 'Password for Redis, when the URL does not say; best given by environment variable.' }),
    cluster: flag({ default: false, reason: 'The URL names one node of a Redis Cluster; all keys of a task lie in one slot.' }),
    keyPrefix: words({
      default: 'voltstream:', reason: 'In front of every key in Redis, which may be shared; the application’s name follows.',
    }, /^[^\s{}]{1,100}$/, 'text without spaces and braces (at most 100)'),
    caFile: optional({ default: null, reason: 'PEM file of the authority that signed Redis’ certificate (rediss://); else those that Node trusts.' }, /\S/, 'path'),
    certificateFile: optional({ default: null, reason: 'PEM file of our certificate for Redis, together with its key.' }, /\S/, 'path'),
    keyFile: optional({ default: null, reason: 'PEM file of the key of that certificate.' }, /\S/, 'path'),
  },
  warehouse: {
    kind: choice(['chdb', 'server'], {
      default: 'chdb', reason: 'chDB is ClickHouse inside this process, in the data folder.',
    }),
    url: optional({
      default: null, secrecy: 'url', reason: 'HTTP interface of a ClickHouse server. Needed with warehouse.kind server, refused without.',
    }, httpUrl, 'http:// or https:// URL'),
    user: words({ default: 'default', reason: 'The user ClickHouse comes with; used with a server only.' }),
    password: optional({ default: null, secrecy: 'secret', reason: 'Used with a server only; best given by environment variable.' }),
    caFile: optional({ default: null, reason: 'PEM file of the authority that signed the certificate of the server (https); else those that Node trusts.' }, /\S/, 'path'),
    cluster: optional({ default: null, reason: 'Cluster (of one shard) on whose servers databases, tables and views are made: ON CLUSTER.' }, /^[\w.-]{1,100}$/, 'letters, digits, . _ -'),
    replicated: flag({ default: false, reason: 'Tables that rows are delivered into are ReplicatedReplacingMergeTree; the URL may then name any replica.' }),
    replicaPath: words({ default: '/clickhouse/tables/{uuid}/{shard}', reason: 'Where a replicated table lies in Keeper, with the server’s macros.' }, /^\/[^\s']+$/, 'path'),
    replicaName: words({ default: '{replica}', reason: 'Name of a replica in Keeper, with the server’s macros.' }, /^[^\s'/]+$/, 'text without spaces'),
    database: words({
      default: 'voltstream', reason: 'A database of its own, engine Atomic; created when it is missing.',
    }, /^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'letters, digits, _ (at most 64)'),
    rawEventsDays: optionalInteger({
      default: null, reason: 'For how many days of event time the table of raw events keeps them; not set: for ever. Whole months go. Sessions and sums stay.',
    }, 1, 36_500),
  },
  registry: {
    kind: choice(['file', 'confluent'], {
      default: 'file', reason: 'The file registry lies in the data folder and speaks the same wire format.',
    }),
    url: optional({
      default: null, secrecy: 'url', reason: 'Confluent-compatible REST, as http(s)://[user:password@]host:port. Needed with registry.kind confluent, refused without.',
    }, httpUrl, 'http:// or https:// URL'),
    username: optional({ default: null, reason: 'For basic authentication, when the URL does not say.' }),
    password: optional({ default: null, secrecy: 'secret', reason: 'For basic authentication, when the URL does not say; best given by environment variable.' }),
    caFile: optional({ default: null, reason: 'PEM file of the authority that signed its certificate (https); else those that Node trusts.' }, /\S/, 'path'),
  },
  commit: {
    intervalMs: integer({
      default: 200, reason: 'Results become visible after this and one seal; a fifth of a second repeats little after a crash and still shares one commit among thousands of records.',
    }, 1, 60_000),
    recordsMax: integer({
      default: 100_000, reason: 'Input records between two commits: bounds what is done again after a crash when replay is fast.',
    }, 1, 10_000_000),
    bytesMax: integer({
      default: 16_777_216, reason: 'Bytes of changed cells and outbox in one commit (16 MiB): bounds memory and the time the store is busy.',
    }, 65_536, 268_435_456),
  },
  outbox: {
    sealRowsMax: integer({
      default: 50_000, reason: 'Rows of one delivery; one ClickHouse insert must stay one block, which ends near 100,000 rows.',
    }, 1, 100_000),
    sealBytesMax: integer({
      default: 8_388_608, reason: 'Bytes of one delivery (8 MiB); one ClickHouse insert must stay under 10 MB to be atomic.',
    }, 1_024, 9_500_000),
    sealAgeMs: integer({
      default: 1_000, reason: 'Longest a row waits for others to share its insert, while none is under way: at most one part a second, task and table, and fewer when ClickHouse is slow.',
    }, 1, 600_000),
    rowsMax: integer({
      default: 200_000, reason: 'Rows that wait for one sink of one task; at this the task pauses, nothing is lost. Four full deliveries: more only makes claims slower.',
    }, 1, 100_000_000),
    bytesMax: integer({
      default: 33_554_432, reason: 'Bytes that wait for one sink of one task (32 MiB, four full deliveries); at this the task pauses.',
    }, 1_024, 17_179_869_184),
  },
  poll: {
    waitMs: integer({
      default: 50, reason: 'Longest wait for new records before timers and commits are looked at again; well under commit.intervalMs.',
    }, 1, 60_000),
    bufferBytesMax: integer({
      default: 33_554_432, reason: 'Bytes fetched ahead of the reader over all partitions (32 MiB): a second of input at full speed.',
    }, 65_536, 4_294_967_296),
  },
  maxTaskIdleMs: integer({
    default: 0, reason: 'How long a task with several inputs waits for one that has nothing, so that records merge by time; 0, as Kafka Streams, waits only for what is known to be there.',
  }, 0, 3_600_000),
  wallClock: choice(['on', 'off'], {
    default: 'on', reason: 'Wall-clock punctuators, and the time of idle sources going on. Off in replays and backfills, where only records may move time.',
  }),
  onOffsetOutOfRange: choice(['fail', 'earliest'], {
    default: 'fail', reason: 'What to do when the log no longer holds the position of the state: stop, or go on from the oldest record and count the gap.',
  }),
  http: {
    host: words({ default: '127.0.0.1', reason: 'Loopback: the page has no password, so that leaving this machine is a decision.' }),
    port: integer({ default: 8080, alias: 'port', reason: 'Live page, /metrics, /health and /ready; 0 takes any free port.' }, 0, 65_535),
  },
  pod: {
    id: optional({
      default: null, reason: 'Names this process in logs, metrics and its status. Not set: POD_NAME of the environment, as Kubernetes manifests set it, else the host name and four random characters.',
    }, /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, . _ - (at most 100)'),
  },
  memory: {
    limitMb: optionalInteger({
      default: null, reason: 'At 80 % of it a warning says what takes the memory; at 100 % tasks take no input and the process is not ready, until it is below 90 %. Not set: 85 % of what the container may use, else 75 % of the machine; V8’s own heap limit is watched besides.',
    }, 64, 16_777_216),
  },
  metrics: {
    steps: flag({
      default: true, reason: 'Series for each step of each task. Without them those of tasks, sources, sinks and stores remain; at a hundred partitions that is a tenth.',
    }),
  },
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info', reason: 'Starts, claims, recoveries and failures; nothing per record.',
  }),
  logFormat: choice(['auto', 'json', 'pretty'], {
    default: 'auto', reason: 'JSON is one object a line, for whatever collects logs; pretty is for people. auto: pretty on a terminal, else JSON.',
  }),
  charging: {
    sessions: {
      settleMinutes: integer({
        default: 10, reason: 'From the end of a session to its first final row: what is a little out of order arrives meanwhile. Less than the hour by which session logs are ended.',
      }, 0, 55),
      inactiveDays: integer({
        default: 60, reason: 'A session of which nothing more is heard is closed after so long; a real one lasted 45 days.',
      }, 1, 3_650),
      finishedForDays: integer({
        default: 7, reason: 'How long a finished session takes corrections and late events, by its station’s own time; older ones are late records. About 1 KB of memory each.',
      }, 1, 3_650),
    },
    load: {
      openForDays: integer({
        default: 1, reason: 'How long after its UTC day an hour takes what becomes known later, corrections among it; the rest is late energy.',
      }, 1, 3_650),
    },
    visits: {
      waitForDays: integer({
        default: 30, reason: 'How far a station may be behind the others of its site, in time of events, before visits there are forgotten without it. More for a backfill whose partitions may drift apart further; memory grows by the visits of that time at sites with a station that is gone for good.',
      }, 7, 18_250),
    },
  },
  shutdownTimeoutMs: integer({
    default: 25_000, reason: 'For committing and delivering what is there after SIGTERM; under the 30 s that Kubernetes waits before it kills.',
  }, 0, 3_600_000),
} as const;
