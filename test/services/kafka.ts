import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort, LocalProcess, requireCommand } from './local-process.ts';
import type { LocalPlace } from './local-process.ts';

const kafkaVersion = '4.2.0';
const cacheFolder = resolve(import.meta.dirname, '../../.voltstream/services');
const clusterId = 'voltstreamTestClusterA';

const libraryFolder = join(cacheFolder, `kafka-libs-${kafkaVersion}`);

/** Throws an error that names what to install when this machine cannot run Kafka. */
export function requireKafka(): void {
  requireCommand('java', '-version', 'install Java 17 or later (Debian: apt-get install openjdk-17-jre-headless)');
  if (!existsSync(libraryFolder)) requireCommand('mvn', '--version', 'install Maven 3 (Debian: apt-get install maven)');
}

/** Kafka and what it needs, as jars: from Maven, once. */
function libraries(): string {
  const folder = libraryFolder;
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder, { recursive: true });
  const work = mkdtempSync(join(cacheFolder, 'download-'));
  writeFileSync(join(work, 'pom.xml'), `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>voltstream.test</groupId><artifactId>kafka-libs</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
  </dependencies>
</project>
`);
  const libs = join(work, 'libs');
  const run = spawnSync('mvn', ['-B', '-q', 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`], { cwd: work, encoding: 'utf8' });
  if (run.status !== 0) {
    rmSync(work, { recursive: true, force: true });
    throw new Error(`Maven could not fetch Kafka ${kafkaVersion}; it needs the network once, or a mirror in ~/.m2/settings.xml:\n${run.stdout}${run.stderr}`);
  }
  if (!existsSync(folder)) renameSync(libs, folder); // another process may have been faster
  rmSync(work, { recursive: true, force: true });
  return folder;
}

function aloneAt(controllerPort: number): KafkaNode {
  return { id: 1, controllerPort, voters: `1@127.0.0.1:${controllerPort}` };
}

async function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

export interface KafkaServiceOptions extends LocalPlace {
  /**
   * Further listeners beside the plain one, by name, with their protocol (SASL_PLAINTEXT, SSL, SASL_SSL), and further lines of
   * server.properties; `{folder}` in them is the folder of the broker.
   */
  readonly listeners?: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
  readonly properties?: string;
  /** Further arguments of StorageTool's format: users of SCRAM are made by `--add-scram`. */
  readonly formatArguments?: readonly string[];
  /** Left out: a cluster of its own, with node id 1. */
  readonly node?: KafkaNode;
  /** Of the broker, as Java wants it (`256m`). */
  readonly heap?: string;
}

/** What a broker of a cluster must know of the others. */
export interface KafkaNode {
  readonly id: number;
  readonly controllerPort: number;
  /** All of them, as `controller.quorum.voters` wants it: id@host:port. */
  readonly voters: string;
}

/** One Kafka broker (KRaft, no ZooKeeper) on 127.0.0.1, its data in a temporary folder unless one is given. */
export class KafkaService {
  readonly #process: LocalProcess;
  readonly #place: KafkaServiceOptions;
  #folder = '';
  #classPath = '';
  #port = 0;

  constructor(place: KafkaServiceOptions = {}) {
    this.#place = place;
    this.#process = new LocalProcess('Kafka', place.logFile);
  }

  /** host:port, as VOLTSTREAM_TEST_KAFKA wants it. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get processId(): number | undefined {
    return this.#process.processId;
  }

  async start(): Promise<void> {
    requireKafka();
    const libs = libraries();
    this.#folder = this.#place.folder ?? mkdtempSync(join(tmpdir(), 'voltstream-kafka-'));
    mkdirSync(this.#folder, { recursive: true });
    this.#port = this.#place.port ?? await freePort();
    writeFileSync(join(this.#folder, 'server.properties'), this.#properties(this.#place.node ?? aloneAt(await freePort())));
    writeFileSync(join(this.#folder, 'log4j2.properties'), 'status=error\nrootLogger.level=error\nrootLogger.appenderRef.c.ref=c\n'
      + 'appender.c.type=Console\nappender.c.name=c\nappender.c.layout.type=PatternLayout\nappender.c.layout.pattern=%d %p %c %m%n\n');
    this.#classPath = readdirSync(libs).map((jar) => join(libs, jar)).join(':');
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', this.#file('server.properties'), ...this.#place.formatArguments ?? []];
    await promisify(execFile)('java', [...this.#javaArguments('128m'), ...format]).catch((error: unknown) => {
      throw new Error('Kafka’s storage could not be formatted', { cause: error });
    });
    await this.restart();
  }

  /** Runs a Java program of one source file with Kafka's own classes; gives what it prints. */
  async runJava(sourceFile: string, ...programArguments: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('java', [...this.#javaArguments('128m'), sourceFile, this.address, ...programArguments], { timeout: 60_000 });
    return stdout;
  }

  /** Starts again on the same data and port after `stop` or `kill`. */
  async restart(): Promise<void> {
    await this.#process.start('java', [...this.#javaArguments(this.#place.heap ?? '512m'), 'kafka.Kafka', this.#file('server.properties')], {},
      () => answers(this.#port));
  }

  async stop(): Promise<void> {
    await this.#process.signal('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#process.signal('SIGKILL');
  }

  /** Stands still until `thaw`: takes connections, and answers nobody. */
  async freeze(): Promise<void> {
    await this.#process.signal('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.#process.signal('SIGCONT');
  }

  /** Stops it and deletes its data, unless they lie in a folder that was given. */
  async dispose(): Promise<void> {
    await this.kill();
    if (this.#folder !== '' && this.#place.folder === undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #javaArguments(heap: string): string[] {
    const thrifty = this.#place.node === undefined ? ['-XX:+UseG1GC'] : ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    return [`-Xmx${heap}`, `-Xms${heap}`, ...thrifty, `-Dlog4j2.configurationFile=${this.#file('log4j2.properties')}`, '-cp', this.#classPath];
  }

  #properties({ id, controllerPort, voters }: KafkaNode): string {
    const further = this.#place.listeners ?? [];
    const listeners = further.map(({ name, port }) => `,${name}://127.0.0.1:${port}`).join('');
    const protocols = further.map(({ name, protocol }) => `,${name}:${protocol}`).join('');
    return `process.roles=broker,controller
node.id=${id}
controller.quorum.voters=${voters}
listeners=PLAINTEXT://127.0.0.1:${this.#port},CONTROLLER://127.0.0.1:${controllerPort}${listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:${this.#port}${listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${protocols}
controller.listener.names=CONTROLLER
log.dirs=${this.#file('data')}
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.message.timestamp.after.max.ms=9223372036854775807
log.retention.ms=-1
message.max.bytes=16777216
${(this.#place.properties ?? '').replaceAll('{folder}', this.#folder)}
`;
  }
}
