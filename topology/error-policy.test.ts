import { describe, expect, it } from 'vitest';
import { mapValues } from '../operators/map-values.ts';
import { utf8 } from '../schemas/builtin-codecs.ts';
import { deadLetterTopic } from './dead-letter.ts';
import type { ErrorPolicies } from './error-policy.ts';
import { errorPolicyOf } from './error-policy.ts';
import { clickhouse, logTopic } from './sink.ts';
import { Topology } from './topology.ts';

function topologyWith(policies: ErrorPolicies | null, letters = false): Topology {
  const topology = new Topology('policies');
  topology.stream('in', { key: utf8, value: utf8 }).pipe(mapValues((value: string) => value)).to(logTopic('out', { key: utf8, value: utf8 }));
  topology.archive('raw', 'in', { key: utf8, value: utf8 }, clickhouse({ database: 'd', table: 't', columns: {}, partitionOf: () => '' }, () => ({})));
  if (letters) topology.deadLetters(deadLetterTopic('dead'));
  if (policies !== null) topology.errorPolicy(policies);
  return topology;
}

describe('the policy of a record that fails', () => {
  it('is that of its name, else of its stage, else dead letters where there is a sink for them, else fail', () => {
    const built = topologyWith({ process: 'fail', steps: { out: 'dead-letter' } }, true).build();
    expect([errorPolicyOf(built, 'deliver', 'out'), errorPolicyOf(built, 'process', 'mapValues-1'), errorPolicyOf(built, 'deserialise', 'in')])
      .toEqual(['dead-letter', 'fail', 'dead-letter']);
    expect(errorPolicyOf(topologyWith(null).build(), 'deserialise', 'in')).toBe('fail');
  });

  it('may be for a source, a step, a sink or an archive', () => {
    const steps = { in: 'fail', 'mapValues-1': 'fail', out: 'fail', raw: 'fail' } as const;
    expect(topologyWith({ steps }).build().errorPolicies).toEqual({ steps });
  });
});

describe('a topology', () => {
  it.each([
    [{ process: 'dead-letter' }, /dead letters, which have no sink.*step "process".*topology\.deadLetters/s],
    [{ steps: { in: { attempts: 2, backOffMs: 1, otherwise: 'dead-letter' } } }, /dead letters, which have no sink.*step "in"/s],
    [{ steps: { inn: 'fail' } }, /a name that the topology has not.*step "inn"/s],
    [{ process: { attempts: 1, backOffMs: 1, otherwise: 'fail' } }, /attempts that cannot be.*2 to 1000.*got: 1/s],
    [{ process: { attempts: 2.5, backOffMs: 1, otherwise: 'fail' } }, /attempts that cannot be/],
    [{ process: { attempts: 2, backOffMs: -1, otherwise: 'fail' } }, /back-off that cannot be.*0 to 3600000 ms.*got: -1/s],
    [{ process: { attempts: 2, backOffMs: Number.NaN, otherwise: 'fail' } }, /back-off that cannot be/],
  ] satisfies [ErrorPolicies, RegExp][])('refuses the error policy %j', (policies, message) => {
    expect(() => topologyWith(policies).build()).toThrow(message);
    expect(() => topologyWith(policies).build()).toThrow('TOPOLOGY_INVALID');
  });

  it('tells its policies in its description', () => {
    const policies: ErrorPolicies = { deserialise: 'dead-letter', process: { attempts: 3, backOffMs: 500, otherwise: 'fail' }, steps: { out: 'fail' } };
    expect(topologyWith(policies, true).describe()).toContain('\nErrors: deserialise dead-letter; process 3 attempts from 500 ms apart, then fail; out fail\n');
    expect(topologyWith(null).describe()).not.toContain('Errors');
  });

  it('has one error policy', () => {
    const topology = topologyWith({ process: 'fail' });
    expect(() => topology.errorPolicy({ process: 'fail' })).toThrow('two error policies');
  });
});
