import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Alarm, AlarmRule, AlarmState, DeviceId, Reading } from '#model';
import { AlarmEngine, type AlarmChanges, type AlarmTrust } from './alarm-engine.ts';

const id = '5ccf7f1418ad' as DeviceId;
const start = 1_700_000_000_000;

const gasRule: AlarmRule = {
  name: 'gas',
  metric: 'gas',
  setPoint: 1,
  deadband: 0,
  onDelayMs: 0,
  offDelayMs: 0,
  priority: 1,
};
const slowRule: AlarmRule = {
  name: 'hot',
  metric: 'temperature',
  setPoint: 80,
  deadband: 5,
  onDelayMs: 3000,
  offDelayMs: 4000,
  priority: 3,
};

function reading(at: number, value: number, metric = 'gas'): Reading {
  const time = start + at;
  return {
    deviceId: id,
    metric,
    value,
    unit: '1',
    epoch: 0,
    sequence: at,
    at: time,
    receivedAt: time,
    kind: 'regular',
    quality: 'good',
    stampId: '',
    topic: 'outTopic/a/b',
  };
}

function judge(
  engine: AlarmEngine,
  at: number,
  value: number,
  trust: AlarmTrust = 'full',
  metric = 'gas',
): AlarmChanges | undefined {
  return engine.evaluate(reading(at, value, metric), 'north', trust, start + at);
}

/** `kind from>to` of each transition. */
function steps(changes: AlarmChanges | undefined): string[] {
  return (changes?.transitions ?? []).map(({ kind, from, to }) => `${kind} ${from}>${to}`);
}

function hot(engine: AlarmEngine, at: number, value: number): string[] {
  return steps(judge(engine, at, value, 'full', 'temperature'));
}

describe('the life cycle', () => {
  test('gas raises at once, and the row says everything', () => {
    const engine = new AlarmEngine([gasRule]);
    assert.equal(judge(engine, 0, 0), undefined);
    const changes = judge(engine, 5000, 1);
    const alarmId = `${id}/gas/${start + 5000}`;
    assert.deepEqual(changes, {
      alarms: [
        {
          id: alarmId,
          deviceId: id,
          site: 'north',
          rule: 'gas',
          priority: 1,
          state: 'unacknowledged',
          setPoint: 1,
          raisedValue: 1,
          peakValue: 1,
          raisedAt: start + 5000,
          acknowledgedAt: null,
          acknowledgedBy: null,
          returnedAt: null,
        },
      ],
      transitions: [
        {
          alarmId,
          deviceId: id,
          kind: 'raise',
          from: 'normal',
          to: 'unacknowledged',
          at: start + 5000,
          by: 'system',
          value: 1,
          setPoint: 1,
          comment: '',
        },
      ],
    });
    assert.equal(engine.isActive(id), true);
    assert.equal(judge(engine, 6000, 1), undefined);
  });

  test('acknowledged, then returned, is normal', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 0, 1);
    const alarmId = engine.list()[0]?.id ?? '';
    const seen = engine.acknowledge(alarmId, 'ann', 'fan is on', start + 10);
    assert.deepEqual(steps(seen), ['acknowledge unacknowledged>acknowledged']);
    assert.deepEqual([seen?.transitions[0]?.by, seen?.transitions[0]?.comment], ['ann', 'fan is on']);
    assert.equal(engine.acknowledge(alarmId, 'bob', '', start + 11), undefined);
    const back = judge(engine, 20, 0);
    assert.deepEqual(steps(back), ['return acknowledged>normal']);
    assert.deepEqual([back?.alarms[0]?.acknowledgedBy, back?.alarms[0]?.returnedAt], ['ann', start + 20]);
    assert.deepEqual(engine.list(), []);
    assert.equal(engine.acknowledge(alarmId, 'ann', '', start + 30), undefined);
  });

  test('returned before it was seen stands until it is acknowledged, and may be raised again meanwhile', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 0, 1);
    const alarmId = engine.list()[0]?.id ?? '';
    assert.deepEqual(steps(judge(engine, 10, 0)), ['return unacknowledged>returned']);
    assert.equal(engine.isActive(id), false);
    assert.deepEqual(steps(judge(engine, 20, 1)), ['re-raise returned>unacknowledged']);
    assert.deepEqual([engine.list()[0]?.id, engine.list()[0]?.returnedAt], [alarmId, null]);
    judge(engine, 30, 0);
    assert.deepEqual(steps(engine.acknowledge(alarmId, 'ann', '', start + 40)), [
      'acknowledge returned>normal',
    ]);
    assert.deepEqual(steps(judge(engine, 50, 1)), ['raise normal>unacknowledged']);
    assert.notEqual(engine.list()[0]?.id, alarmId);
  });

  test('two alarms of one instant have two ids', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 0, 1);
    const first = engine.list()[0]?.id ?? '';
    judge(engine, 0, 0);
    engine.acknowledge(first, 'ann', '', start);
    judge(engine, 0, 1);
    assert.notEqual(engine.list()[0]?.id, first);
  });

  test('the peak is kept, without a transition', () => {
    const engine = new AlarmEngine([{ ...gasRule, setPoint: 10 }]);
    judge(engine, 0, 12);
    const changes = judge(engine, 1, 40);
    assert.deepEqual(
      [changes?.alarms[0]?.peakValue, changes?.alarms[0]?.raisedValue, changes?.transitions],
      [40, 12, []],
    );
    assert.equal(judge(engine, 2, 30), undefined);
    assert.equal(engine.list()[0]?.peakValue, 40);
  });

  test('metrics without a rule and unknown ids change nothing', () => {
    const engine = new AlarmEngine([gasRule]);
    assert.equal(judge(engine, 0, 99, 'full', 'temperature'), undefined);
    assert.equal(engine.acknowledge('no/such/alarm', 'ann', '', start), undefined);
  });

  test('several rules on one metric stand side by side', () => {
    const engine = new AlarmEngine([gasRule, { ...gasRule, name: 'much', setPoint: 5 }]);
    assert.deepEqual(
      judge(engine, 0, 7)?.alarms.map(({ rule }) => rule),
      ['gas', 'much'],
    );
    assert.deepEqual(
      judge(engine, 1, 3)?.alarms.map(({ rule }) => rule),
      ['much'],
    );
  });
});

describe('delays and deadband', () => {
  test('the value must stay: by the time of the readings', () => {
    const engine = new AlarmEngine([slowRule]);
    assert.deepEqual(hot(engine, 0, 85), []);
    assert.deepEqual(hot(engine, 2000, 79), []);
    assert.deepEqual(hot(engine, 2500, 81), []);
    assert.deepEqual(hot(engine, 5400, 81), []);
    assert.deepEqual(hot(engine, 5500, 90), ['raise normal>unacknowledged']);
    assert.equal(engine.list()[0]?.raisedAt, start + 5500);
  });

  test('inside the deadband nothing returns; below it the off-delay runs', () => {
    const engine = new AlarmEngine([slowRule]);
    hot(engine, 0, 85);
    hot(engine, 3000, 85);
    assert.deepEqual(hot(engine, 4000, 75), []);
    assert.deepEqual(hot(engine, 9000, 76), []);
    assert.deepEqual(hot(engine, 10_000, 74), []);
    assert.deepEqual(hot(engine, 11_000, 75), []);
    assert.deepEqual(hot(engine, 12_000, 74), []);
    assert.deepEqual(hot(engine, 16_000, 74), ['return unacknowledged>returned']);
  });

  test('end by the clock when no reading comes', () => {
    const engine = new AlarmEngine([slowRule]);
    hot(engine, 0, 85);
    assert.equal(engine.tick(start + 2999), undefined);
    assert.deepEqual(steps(engine.tick(start + 3000)), ['raise normal>unacknowledged']);
    assert.equal(engine.tick(start + 99_000), undefined);
    hot(engine, 100_000, 20);
    assert.deepEqual(steps(engine.tick(start + 104_000)), ['return unacknowledged>returned']);
  });

  test('of a backlog are not ended by the clock before the next reading can follow', () => {
    const engine = new AlarmEngine([slowRule]);
    const now = start + 3_600_000;
    engine.evaluate(reading(0, 85, 'temperature'), 'north', 'full', now);
    assert.equal(engine.tick(now + 1000), undefined);
    engine.evaluate(reading(1000, 20, 'temperature'), 'north', 'full', now + 1001);
    assert.equal(engine.tick(now + 60_000), undefined);
  });

  test('silence returns nothing', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 0, 1);
    assert.equal(engine.tick(start + 86_400_000), undefined);
    assert.equal(engine.isActive(id), true);
  });
});

describe('what does not count fully', () => {
  test('a warming reading raises nothing; gas that still stands afterwards does', () => {
    const engine = new AlarmEngine([gasRule]);
    assert.equal(judge(engine, 0, 1, 'warming'), undefined);
    assert.equal(judge(engine, 1000, 1, 'warming'), undefined);
    assert.deepEqual(steps(judge(engine, 2000, 1)), ['raise normal>unacknowledged']);
  });

  test('gas that stands when the warm-up ends by the clock raises then; an earlier end of gas does not', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 0, 1, 'warming');
    assert.equal(engine.tick(start + 60_000), undefined);
    assert.deepEqual(steps(engine.onWarm(id, start + 180_000)), ['raise normal>unacknowledged']);
    const clean = new AlarmEngine([gasRule]);
    judge(clean, 0, 1, 'warming');
    judge(clean, 1000, 0, 'warming');
    assert.equal(clean.onWarm(id, start + 180_000), undefined);
    assert.equal(clean.onWarm('ffffffffffff' as DeviceId, start), undefined);
  });

  test('a standing alarm is not returned by a warming detector', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 0, 1);
    assert.equal(judge(engine, 1000, 0, 'warming'), undefined);
    assert.equal(engine.isActive(id), true);
    assert.deepEqual(steps(judge(engine, 2000, 0)), ['return unacknowledged>returned']);
  });

  test('a repeated number raises but never returns', () => {
    const engine = new AlarmEngine([gasRule]);
    assert.equal(judge(engine, 0, 0, 'repeat'), undefined);
    assert.deepEqual(steps(judge(engine, 1000, 1, 'repeat')), ['raise normal>unacknowledged']);
    assert.equal(judge(engine, 2000, 0, 'repeat'), undefined);
  });

  test('a late reading raises but never returns', () => {
    const engine = new AlarmEngine([gasRule]);
    judge(engine, 5000, 0);
    assert.deepEqual(steps(judge(engine, 1000, 1)), ['raise normal>unacknowledged']);
    assert.equal(judge(engine, 2000, 0), undefined);
    assert.deepEqual(steps(judge(engine, 6000, 0)), ['return unacknowledged>returned']);
  });
});

describe('after a restart', () => {
  const alarm = (state: AlarmState): Alarm => ({
    id: `${id}/gas/${start}`,
    deviceId: id,
    site: 'north',
    rule: 'gas',
    priority: 1,
    state,
    setPoint: 1,
    raisedValue: 1,
    peakValue: 1,
    raisedAt: start,
    acknowledgedAt: null,
    acknowledgedBy: null,
    returnedAt: null,
  });

  test('alarms go on where they stood', () => {
    for (const [state, onZero, onOne] of [
      ['unacknowledged', 'return unacknowledged>returned', undefined],
      ['acknowledged', 'return acknowledged>normal', undefined],
      ['returned', undefined, 're-raise returned>unacknowledged'],
    ] as const) {
      for (const [value, expected] of [
        [0, onZero],
        [1, onOne],
      ] as const) {
        const engine = new AlarmEngine([gasRule]);
        assert.equal(engine.restore([alarm(state), { ...alarm('normal'), id: 'other' }], start), undefined);
        assert.equal(engine.list().length, 1);
        assert.deepEqual(
          steps(judge(engine, 1000, value)),
          expected === undefined ? [] : [expected],
          `${state}, ${value}`,
        );
      }
    }
  });

  test('an alarm whose rule is gone returns with that comment and still waits for a person', () => {
    const engine = new AlarmEngine([slowRule]);
    const changes = engine.restore([alarm('unacknowledged')], start + 5);
    assert.deepEqual(steps(changes), ['return unacknowledged>returned']);
    assert.equal(changes?.transitions[0]?.comment, 'rule gas is no longer configured');
    assert.deepEqual(steps(engine.acknowledge(alarm('returned').id, 'ann', '', start + 6)), [
      'acknowledge returned>normal',
    ]);
  });
});

/** ISA-18.2: which step may lead from where to where. */
const legal = new Set([
  'raise normal>unacknowledged',
  'acknowledge unacknowledged>acknowledged',
  'acknowledge returned>normal',
  'return unacknowledged>returned',
  'return acknowledged>normal',
  're-raise returned>unacknowledged',
]);

test('any history: every transition is legal, they chain without a break, and the state is that of the model', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('value' as const),
        value: fc.integer({ min: 70, max: 90 }),
        gap: fc.nat(3000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), fc.boolean(), (history, hasDelay) => {
      const rule: AlarmRule = hasDelay ? slowRule : { ...slowRule, onDelayMs: 0, offDelayMs: 0 };
      let engine = new AlarmEngine([rule]);
      let at = 0;
      let state: AlarmState = 'normal';
      let isActive = false;
      let crossedAt: number | undefined;
      for (const each of history) {
        let changes: AlarmChanges | undefined;
        if (each.kind === 'value') {
          at += each.gap;
          changes = judge(engine, at, each.value, 'full', 'temperature');
          const isBeyond = isActive ? each.value < 75 : each.value >= 80;
          crossedAt = isBeyond ? (crossedAt ?? at) : undefined;
          if (crossedAt !== undefined && at - crossedAt >= (isActive ? rule.offDelayMs : rule.onDelayMs)) {
            isActive = !isActive;
            crossedAt = undefined;
            if (isActive) state = 'unacknowledged';
            else state = state === 'acknowledged' ? 'normal' : 'returned';
          }
        } else if (each.kind === 'acknowledge') {
          changes = engine.acknowledge(engine.list()[0]?.id ?? '', 'ann', '', start + at);
          if (state === 'unacknowledged') state = 'acknowledged';
          else if (state === 'returned') state = 'normal';
        } else {
          const standing = engine.list();
          engine = new AlarmEngine([rule]);
          engine.restore(standing, start + at);
          crossedAt = undefined;
        }
        for (const text of steps(changes)) assert.ok(legal.has(text), text);
        assert.equal(engine.list()[0]?.state ?? 'normal', state);
        assert.equal(engine.isActive(id), isActive);
      }
    }),
    { numRuns: 500 },
  );
});
