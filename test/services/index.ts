/**
 * Real services for tests as local processes: `node test/services/index.ts up` starts Kafka and Redis, prints the environment
 * variables that include their tests, and keeps them running until SIGINT or SIGTERM. `up kafka` or `up redis` starts one.
 */
import { KafkaService } from './kafka.ts';
import { RedisService } from './redis.ts';

export { KafkaService } from './kafka.ts';
export { RedisService } from './redis.ts';

const usage = 'usage: node test/services/index.ts up [kafka] [redis]';

async function up(names: readonly string[]): Promise<void> {
  const wanted = names.length === 0 ? ['kafka', 'redis'] : names;
  if (wanted.some((name) => name !== 'kafka' && name !== 'redis')) throw new Error(usage);
  const services: (KafkaService | RedisService)[] = [];
  const down = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.dispose()));
    process.exit(0);
  };
  process.once('SIGINT', () => void down());
  process.once('SIGTERM', () => void down());
  for (const name of wanted) {
    const service = name === 'kafka' ? new KafkaService() : new RedisService();
    services.push(service);
    await service.start();
    console.log(`export VOLTSTREAM_TEST_${name.toUpperCase()}=${service.address}`);
  }
  console.log('# running; Ctrl-C stops them and deletes their data');
}

if (import.meta.main) {
  const [command, ...names] = process.argv.slice(2);
  try {
    if (command !== 'up') throw new Error(usage);
    await up(names);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(command === 'up' ? 1 : 2);
  }
}
