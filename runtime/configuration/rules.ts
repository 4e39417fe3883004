import type { Configuration } from '../configuration.ts';

/** What must hold between settings. Gives a sentence for each rule that is broken. */
export function brokenRules(configuration: Configuration): readonly string[] {
  const { log, state, warehouse, registry, commit, outbox, poll } = configuration;
  const broken: string[] = [];
  const rule = (holds: boolean, sentence: string): void => {
    if (!holds) broken.push(sentence);
  };
  rule(log.kind !== 'kafka' || log.brokers.length > 0, 'log.kind kafka needs log.brokers');
  rule(log.kind === 'kafka' || log.brokers.length === 0, 'log.brokers is set, but log.kind is embedded: set it to kafka');
  rule(log.heartbeatIntervalMs * 3 <= log.sessionTimeoutMs, 'log.heartbeatIntervalMs may be at most a third of log.sessionTimeoutMs');
  for (const sentence of brokenLoginRules(log.sasl)) broken.push(sentence);
  rule((log.ssl.certificateFile === null) === (log.ssl.keyFile === null),
    'log.ssl.certificateFile and log.ssl.keyFile belong together');
  rule(log.ssl.enabled || (log.ssl.caFile === null && log.ssl.certificateFile === null && log.ssl.keyFile === null),
    'files of log.ssl are set, but log.ssl.enabled is false');
  for (const [name, kind, url, kindWithUrl] of [
    ['state', state.kind, state.url, 'redis'],
    ['warehouse', warehouse.kind, warehouse.url, 'server'],
    ['registry', registry.kind, registry.url, 'confluent'],
  ] as const) {
    rule(kind !== kindWithUrl || url !== null, `${name}.kind ${kindWithUrl} needs ${name}.url`);
    rule(kind === kindWithUrl || url === null, `${name}.url is set, but ${name}.kind is ${kind}: set it to ${kindWithUrl}`);
  }
  for (const sentence of [...brokenStateRules(state), ...brokenRegistryRules(registry), ...brokenWarehouseRules(warehouse)]) broken.push(sentence);
  rule(outbox.sealRowsMax <= outbox.rowsMax, 'outbox.sealRowsMax may be at most outbox.rowsMax, else nothing is ever sealed by rows');
  rule(outbox.sealBytesMax <= outbox.bytesMax, 'outbox.sealBytesMax may be at most outbox.bytesMax');
  rule(poll.waitMs <= commit.intervalMs, 'poll.waitMs may be at most commit.intervalMs, else commits come late');
  return broken;
}

function brokenStateRules(state: Configuration['state']): readonly string[] {
  const { kind, url, username, password, cluster, caFile, certificateFile, keyFile } = state;
  const files = [caFile, certificateFile, keyFile].some((file) => file !== null);
  const login = /^[^:]+:\/\/[^@/]+@/.test(url ?? '');
  return [
    ...(kind === 'redis' || !(username !== null || password !== null || cluster || files)
      ? [] : [`state.username, password, cluster or files are set, but state.kind is ${kind}: set it to redis`]),
    ...(login && (username !== null || password !== null) ? ['state.url has a login of its own: leave it out there, or leave out state.username and state.password'] : []),
    ...(username !== null && password === null ? ['state.username needs state.password'] : []),
    ...(files && url !== null && !url.startsWith('rediss://') ? ['files for TLS are set, but state.url does not begin with rediss://'] : []),
    ...((certificateFile === null) === (keyFile === null) ? [] : ['state.certificateFile and state.keyFile belong together']),
    ...(cluster && /^[^:]+:\/\/[^/]+\/[1-9]/.test(url ?? '') ? ['state.url names a database, which a cluster does not have'] : []),
  ];
}

function brokenRegistryRules({ kind, url, username, password, caFile }: Configuration['registry']): readonly string[] {
  const login = username !== null || password !== null;
  return [
    ...(kind === 'confluent' || !(login || caFile !== null) ? [] : [`registry.username, password or caFile is set, but registry.kind is ${kind}: set it to confluent`]),
    ...(login && /^[^:]+:\/\/[^@/]+@/.test(url ?? '') ? ['registry.url has a login of its own: leave it out there, or leave out registry.username and registry.password'] : []),
    ...((username === null) === (password === null) ? [] : ['registry.username and registry.password belong together']),
    ...(caFile !== null && url !== null && !url.startsWith('https://') ? ['registry.caFile is set, but registry.url does not begin with https://'] : []),
  ];
}

function brokenWarehouseRules({ kind, url, password, caFile, cluster, replicated }: Configuration['warehouse']): readonly string[] {
  return [
    ...(kind === 'server' || !(caFile !== null || cluster !== null || replicated) ? [] : [`warehouse.caFile, cluster or replicated is set, but warehouse.kind is ${kind}: set it to server`]),
    ...(password !== null && /^[^:]+:\/\/[^@/]+@/.test(url ?? '') ? ['warehouse.url has a login of its own: leave it out there, or leave out warehouse.password'] : []),
    ...(caFile !== null && url !== null && !url.startsWith('https://') ? ['warehouse.caFile is set, but warehouse.url does not begin with https://'] : []),
  ];
}

function brokenLoginRules({ mechanism, username, password, tokenFile, tokenEndpoint, clientId, clientSecret, scope }: Configuration['log']['sasl']): readonly string[] {
  const byName = mechanism !== 'none' && mechanism !== 'oauthbearer';
  const byToken = mechanism === 'oauthbearer';
  const named = username !== null || password !== null;
  const token = [tokenFile, tokenEndpoint, clientId, clientSecret, scope].some((value) => value !== null);
  return [
    ...(byName && (username === null || password === null) ? ['log.sasl.mechanism needs log.sasl.username and log.sasl.password'] : []),
    ...(!byName && named ? [`log.sasl.username or log.sasl.password is set, but log.sasl.mechanism is ${mechanism}`] : []),
    ...(byToken && (tokenFile === null) === (tokenEndpoint === null) ? ['log.sasl.mechanism oauthbearer needs either log.sasl.tokenFile or log.sasl.tokenEndpoint'] : []),
    ...(!byToken && token ? [`settings for a token are set, but log.sasl.mechanism is ${mechanism}: set it to oauthbearer`] : []),
    ...(tokenEndpoint !== null && (clientId === null || clientSecret === null) ? ['log.sasl.tokenEndpoint needs log.sasl.clientId and log.sasl.clientSecret'] : []),
  ];
}
