import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GroupedStore } from '../engine.ts';
import { TopologyTestDriver } from '../../runtime/testing/index.ts';
import type { SessionEvent } from '../session-event.ts';
import { charging, known, ten } from '../testing/events.ts';
import { propertyRuns } from '../../schemas/testing/property-runs.ts';
import { isUsable } from './connector-interval.ts';
import { connectorTimeline } from './timeline-codec.ts';
import type { ConnectorTimeline } from './connector-timeline.ts';
import type { ConnectorStatusOptions } from './connector-status.ts';
import { driving, IntervalTable, statusAlone } from './testing/drive-status.ts';
import { naiveIntervals } from './testing/naive-status.ts';

const driveStatus = (options: ConnectorStatusOptions = {}, commit: 'each' | 'manual' = 'each') => driving(new TopologyTestDriver(statusAlone(options), { commit }));

/** Times often the same, and close to a minute after each other, where the rules differ. */
const times = fc.oneof(fc.nat(12).map((step) => ten + step * 30_000), fc.nat(86_399_999).map((ms) => ten + ms));
const eventOf = fc.record({
  type: fc.constantFrom('StatusChanged', 'StatusChanged', 'TransactionStarted', 'TransactionUpdated', 'TransactionEnded', 'ConnectionLost', 'ConnectionRestored', 'Heartbeat'),
  timestampMs: times,
  receivedMs: fc.option(fc.nat(3).map((step) => ten + step), { freq: 2 }),
  number: fc.constantFrom<readonly [number, number]>([1, 1], [1, 1], [1, 1], [1, 2], [2, 1], [0, 0]),
  status: fc.constantFrom('Available', 'Occupied', 'Charging', 'Reserved', 'Faulted', 'Unavailable', 'What'),
  errorCode: fc.constantFrom(null, null, 'GroundFailure'),
  transactionId: fc.constantFrom('a', 'b', 'c'),
  edition: fc.constantFrom(0, 0, 0, 1),
  offline: fc.boolean(),
  stopReason: fc.constantFrom(null, 'EVDisconnected'),
});

type Raw = typeof eventOf extends fc.Arbitrary<infer T> ? T : never;

function madeOf({ type, number: [evseId, connectorId], status, transactionId, ...rest }: Raw, index: number): SessionEvent {
  const isTransaction = type.startsWith('Transaction');
  return known(charging({
    ...rest, type: type as SessionEvent['type'], evseId, connectorId, eventId: String(index),
    status: type === 'StatusChanged' ? status : null, transactionId: isTransaction ? transactionId : null,
  }));
}

const histories = fc.array(eventOf, { minLength: 1, maxLength: 30 }).map((raw) => raw.map(madeOf));

describe('connector status', () => {
  it('is what the naive model reads out of all events, for any order, duplicates, commits and restarts', () => {
    const arrivals = histories.chain((events) => fc.record({
      events: fc.constant(events),
      order: fc.shuffledSubarray([...events, ...events.slice(0, 5)], { minLength: events.length + Math.min(5, events.length) }),
      breaks: fc.array(fc.constantFrom('', '', '', 'commit', 'restart'), { minLength: 40, maxLength: 40 }),
    }));
    fc.assert(fc.property(arrivals, ({ events, order, breaks }) => {
      const { driver, push, intervals, now, late } = driveStatus({}, 'manual');
      for (const [index, event] of order.entries()) {
        push(event);
        if (breaks[index] === 'commit') driver.commit();
        if (breaks[index] === 'restart') {
          driver.commit();
          driver.restart();
        }
      }
      driver.commit();
      const rows = intervals();
      const stands = now();
      const table = new IntervalTable().take(rows, stands);
      const found = table.rows;
      expect(found).toEqual(naiveIntervals(events));
      // Whoever looks at outages only sees those that are left.
      const ended = found.filter(({ toMs }) => toMs !== null);
      expect(new IntervalTable().take(rows.filter((row) => !isUsable(row))).rows).toEqual(ended.filter((row) => !isUsable(row)));
      expect(late()).toEqual([]);
      for (const { evseId, connectorId, firstMs } of new Map(stands.map((row) => [`${row.evseId}.${row.connectorId}`, row])).values()) {
        expect(firstMs).toBe(found.find((row) => row.evseId === evseId && row.connectorId === connectorId)?.fromMs);
      }
    }), propertyRuns());
  });

  it('has no holes and no overlaps, and gives the same rows with restarts, whatever is late', () => {
    const limits = fc.record({ rememberMs: fc.nat(3_600_000), pointsMax: fc.integer({ min: 1, max: 6 }) });
    fc.assert(fc.property(histories, limits, (events, options) => {
      const plain = driveStatus(options);
      const restarted = driveStatus(options);
      for (const event of events) {
        plain.push(event);
        restarted.push(event);
        restarted.driver.restart();
      }
      const rows = plain.intervals();
      expect(restarted.intervals()).toEqual(rows);
      const stands = plain.now();
      expect(restarted.now()).toEqual(stands);
      const byConnector = Map.groupBy(new IntervalTable().take(rows, stands).rows, ({ evseId, connectorId }) => `${evseId}.${connectorId}`);
      for (const spans of byConnector.values()) {
        for (const [index, { toMs }] of spans.entries()) expect(toMs).toBe(spans[index + 1]?.fromMs ?? null);
      }
    }), propertyRuns());
  });

  it('in order of time says the same, however little is remembered', () => {
    fc.assert(fc.property(histories, fc.integer({ min: 1, max: 5 }), (events, pointsMax) => {
      // In the order of the model; transactions whose starts or editions come to nothing need their points.
      const plain = events.filter(({ type, edition }) => edition === 0 && type !== 'TransactionUpdated' && type !== 'TransactionStarted');
      const inOrder = [...plain].sort((a, b) => a.timestampMs - b.timestampMs);
      const once = inOrder.filter(({ timestampMs }, index) => inOrder[index - 1]?.timestampMs !== timestampMs);
      const { push, intervals, now } = driveStatus({ pointsMax, rememberMs: 0 });
      push(...once);
      const rows = intervals();
      const wanted = naiveIntervals(once);
      expect(new IntervalTable().take(rows, now()).rows).toEqual(wanted);
      // Each once, when it ends.
      expect(rows.length).toBe(wanted.filter(({ toMs }) => toMs !== null).length);
    }), propertyRuns());
  });

  it('comes back out of its bytes as it was', () => {
    fc.assert(fc.property(histories, (events) => {
      const { driver, push } = driveStatus({ pointsMax: 5 });
      push(...events);
      const store = driver.store<GroupedStore<ConnectorTimeline>>('status');
      for (const timeline of membersOf(store)) {
        const bytes = connectorTimeline.encode(timeline);
        const back = connectorTimeline.decode(bytes);
        expect(back).toEqual(timeline);
        expect(back.tip).toEqual(timeline.tip);
        expect(Buffer.compare(connectorTimeline.encode(back), bytes)).toBe(0);
        for (const cut of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)])]) expect(() => connectorTimeline.decode(cut)).toThrow(/DESERIALISATION_FAILED/);
      }
    }), propertyRuns());
  });
});

function membersOf(store: GroupedStore<ConnectorTimeline>): readonly ConnectorTimeline[] {
  return [...store.members('s1')].map(([, timeline]) => timeline);
}
