import type {
  Alarm,
  AlarmRule,
  AlarmState,
  AlarmTransition,
  AlarmTransitionKind,
  DeviceId,
  EpochMs,
  Reading,
} from '#model';
import { AlarmCondition } from './alarm-condition.ts';

/** What changed: whole alarms to store, and the transitions that led there. */
export interface AlarmChanges {
  readonly alarms: readonly Alarm[];
  readonly transitions: readonly AlarmTransition[];
}

/**
 * How far a reading counts. `full`: it may raise and return. `warming`: it changes nothing until the warm-up ends.
 * `repeat`: its sequence number came before, so it may raise, but never return, an alarm.
 */
export type AlarmTrust = 'full' | 'warming' | 'repeat';

/** One rule of one device. */
interface Slot {
  readonly deviceId: DeviceId;
  readonly rule: AlarmRule;
  readonly condition: AlarmCondition;
  site: string;
  /** `null` = normal. */
  alarm: Alarm | null;
  /** The time in the last alarm's id: the next one's is later. */
  lastRaise: EpochMs;
}

/** Who acts where no person did. */
const system = 'system';

/**
 * Raises, acknowledges and returns alarms by the life cycle of ISA-18.2 / IEC 62682:
 *
 *   normal ──raise──▶ unacknowledged ──acknowledge──▶ acknowledged
 *      ▲                │       ▲                          │
 *      │              return  re-raise                   return
 *      │                ▼       │                          ▼
 *      └──acknowledge── returned                         normal
 *
 * An alarm returns only by a reading below its set-point and deadband; a device that falls silent keeps its alarm.
 */
export class AlarmEngine {
  readonly #rules = new Map<string, AlarmRule[]>();
  /** Device → metric → a slot for each rule. */
  readonly #slots = new Map<DeviceId, Map<string, readonly Slot[]>>();
  /** Alarms that are not normal, by id. */
  readonly #standing = new Map<string, Slot>();

  constructor(rules: readonly AlarmRule[]) {
    for (const rule of rules) {
      const sameMetric = this.#rules.get(rule.metric);
      if (sameMetric === undefined) this.#rules.set(rule.metric, [rule]);
      else sameMetric.push(rule);
    }
  }

  /**
   * Takes up the alarms of the store. One whose rule is no longer configured cannot be judged any more: it returns, with
   * a comment that says so, and still waits for its acknowledgement. The changes must be stored.
   */
  restore(alarms: Iterable<Alarm>, now: EpochMs): AlarmChanges | undefined {
    const changes = new Changes();
    for (const alarm of alarms) {
      if (alarm.state === 'normal') continue;
      const rule = this.#ruleNamed(alarm.rule);
      const slot =
        rule === undefined
          ? createSlot(alarm.deviceId, orphanRule(alarm))
          : this.#slotFor(alarm.deviceId, rule);
      slot.alarm = alarm;
      slot.site = alarm.site;
      slot.lastRaise = alarm.raisedAt;
      slot.condition.isActive = isActive(alarm.state);
      this.#standing.set(alarm.id, slot);
      if (rule === undefined && isActive(alarm.state)) {
        this.#return(slot, null, now, `rule ${alarm.rule} is no longer configured`, changes);
      }
    }
    return changes.result();
  }

  /** Judges one reading; readings whose metric no rule names cost one look-up. */
  evaluate(reading: Reading, site: string, trust: AlarmTrust, now: EpochMs): AlarmChanges | undefined {
    if (!this.#rules.has(reading.metric)) return undefined;
    const { value, at } = reading;
    const isWarming = trust === 'warming' || reading.quality === 'warming';
    let changes: Changes | undefined;
    for (const slot of this.#slotsFor(reading.deviceId, reading.metric)) {
      slot.site = site;
      const { condition } = slot;
      const hasChanged =
        trust === 'repeat'
          ? condition.observeUntrusted(value, at, isWarming, now)
          : condition.observe(value, at, isWarming, now);
      if (hasChanged) this.#follow(slot, value, at, at, (changes ??= new Changes()));
      else if (slot.alarm !== null && condition.isActive && !isWarming && value > slot.alarm.peakValue) {
        slot.alarm = { ...slot.alarm, peakValue: value };
        (changes ??= new Changes()).keep(slot.alarm);
      }
    }
    return changes?.result();
  }

  /** The device's warm-up ended without a reading: what its last one showed counts from now on. */
  onWarm(deviceId: DeviceId, now: EpochMs): AlarmChanges | undefined {
    const changes = new Changes();
    for (const slots of this.#slots.get(deviceId)?.values() ?? []) {
      for (const slot of slots) {
        const { condition } = slot;
        if (condition.endWarmUp(now)) this.#follow(slot, condition.lastValue, condition.lastAt, now, changes);
      }
    }
    return changes.result();
  }

  /** Ends delays for which no reading comes any more. To be called about once a second. */
  tick(now: EpochMs): AlarmChanges | undefined {
    const changes = new Changes();
    for (const metrics of this.#slots.values()) {
      for (const slots of metrics.values()) {
        for (const slot of slots) {
          const { condition } = slot;
          if (condition.tick(now)) this.#follow(slot, condition.lastValue, condition.lastAt, now, changes);
        }
      }
    }
    return changes.result();
  }

  /** A person has seen the alarm. `undefined`: there is no such one, or it is acknowledged already. */
  acknowledge(id: string, by: string, comment: string, now: EpochMs): AlarmChanges | undefined {
    const slot = this.#standing.get(id);
    if (slot === undefined || slot.alarm === null || slot.alarm.state === 'acknowledged') return undefined;
    const changes = new Changes();
    const to = slot.alarm.state === 'returned' ? 'normal' : 'acknowledged';
    const next: Alarm = { ...slot.alarm, state: to, acknowledgedAt: now, acknowledgedBy: by };
    this.#move(slot, next, 'acknowledge', null, now, by, comment, changes);
    return changes.result();
  }

  /** Every alarm that is not normal. */
  list(): Alarm[] {
    return Array.from(this.#standing.values(), (slot) => slot.alarm).filter((alarm) => alarm !== null);
  }

  /** Whether the process of the device is in alarm, acknowledged or not. */
  isActive(deviceId: DeviceId): boolean {
    for (const slots of this.#slots.get(deviceId)?.values() ?? []) {
      for (const slot of slots) if (slot.alarm !== null && isActive(slot.alarm.state)) return true;
    }
    return false;
  }

  /** The condition has changed; `readingAt` is the time of the reading that it rests on, `at` the time of the change. */
  #follow(slot: Slot, value: number, readingAt: EpochMs, at: EpochMs, changes: Changes): void {
    if (!slot.condition.isActive) this.#return(slot, value, at, '', changes);
    else this.#raise(slot, value, readingAt, at, changes);
  }

  #raise(slot: Slot, value: number, readingAt: EpochMs, at: EpochMs, changes: Changes): void {
    const { rule, alarm, deviceId } = slot;
    if (alarm !== null) {
      const peakValue = Math.max(alarm.peakValue, value);
      const again: Alarm = { ...alarm, state: 'unacknowledged', peakValue, returnedAt: null };
      this.#move(slot, again, 're-raise', value, at, system, '', changes);
      return;
    }
    slot.lastRaise = Math.max(readingAt, slot.lastRaise + 1);
    const raised: Alarm = {
      id: `${deviceId}/${rule.name}/${slot.lastRaise}`,
      deviceId,
      site: slot.site,
      rule: rule.name,
      priority: rule.priority,
      state: 'unacknowledged',
      setPoint: rule.setPoint,
      raisedValue: value,
      peakValue: value,
      raisedAt: readingAt,
      acknowledgedAt: null,
      acknowledgedBy: null,
      returnedAt: null,
    };
    this.#move(slot, raised, 'raise', value, at, system, '', changes);
  }

  #return(slot: Slot, value: number | null, at: EpochMs, comment: string, changes: Changes): void {
    if (slot.alarm === null) return;
    const to = slot.alarm.state === 'acknowledged' ? 'normal' : 'returned';
    this.#move(
      slot,
      { ...slot.alarm, state: to, returnedAt: at },
      'return',
      value,
      at,
      system,
      comment,
      changes,
    );
  }

  #move(
    slot: Slot,
    next: Alarm,
    kind: AlarmTransitionKind,
    value: number | null,
    at: EpochMs,
    by: string,
    comment: string,
    changes: Changes,
  ): void {
    const from = slot.alarm === null ? 'normal' : slot.alarm.state;
    const { id, deviceId, state: to, setPoint } = next;
    changes.add(next, { alarmId: id, deviceId, kind, from, to, at, by, value, setPoint, comment });
    slot.alarm = to === 'normal' ? null : next;
    if (slot.alarm === null) this.#standing.delete(id);
    else this.#standing.set(id, slot);
  }

  #ruleNamed(name: string): AlarmRule | undefined {
    for (const rules of this.#rules.values()) {
      for (const rule of rules) if (rule.name === name) return rule;
    }
    return undefined;
  }

  #slotFor(deviceId: DeviceId, rule: AlarmRule): Slot {
    const slot = this.#slotsFor(deviceId, rule.metric).find((candidate) => candidate.rule === rule);
    return slot ?? createSlot(deviceId, rule);
  }

  #slotsFor(deviceId: DeviceId, metric: string): readonly Slot[] {
    let metrics = this.#slots.get(deviceId);
    if (metrics === undefined) {
      metrics = new Map();
      this.#slots.set(deviceId, metrics);
    }
    let slots = metrics.get(metric);
    if (slots === undefined) {
      slots = (this.#rules.get(metric) ?? []).map((rule) => createSlot(deviceId, rule));
      metrics.set(metric, slots);
    }
    return slots;
  }
}

/** Gathers what one call changes. An alarm that changes twice is kept once, as it ends. */
class Changes {
  readonly #alarms = new Map<string, Alarm>();
  readonly #transitions: AlarmTransition[] = [];

  keep(alarm: Alarm): void {
    this.#alarms.set(alarm.id, alarm);
  }

  add(alarm: Alarm, transition: AlarmTransition): void {
    this.keep(alarm);
    this.#transitions.push(transition);
  }

  /** `undefined` when nothing changed. */
  result(): AlarmChanges | undefined {
    return this.#alarms.size === 0
      ? undefined
      : { alarms: [...this.#alarms.values()], transitions: this.#transitions };
  }
}

function isActive(state: AlarmState): boolean {
  return state === 'unacknowledged' || state === 'acknowledged';
}

function createSlot(deviceId: DeviceId, rule: AlarmRule): Slot {
  return { deviceId, rule, condition: new AlarmCondition(rule, false), site: '', alarm: null, lastRaise: 0 };
}

/** Stands in for a rule that is gone. */
function orphanRule(alarm: Alarm): AlarmRule {
  const { rule: name, setPoint, priority } = alarm;
  return { name, metric: '', setPoint, deadband: 0, onDelayMs: 0, offDelayMs: 0, priority };
}
