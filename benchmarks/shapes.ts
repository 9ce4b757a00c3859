import type { Door } from './brokers/broker-adapter.ts';

/** A kind of load: what mqload is told, and why it is of interest. */
export interface Shape {
  readonly name: string;
  readonly group: string;
  readonly qos: 0 | 1 | 2;
  readonly door: Door;
  /** For people. */
  readonly description: string;
  readonly options: readonly string[];
  /** Highest CPU per message to reach, by that of each broker named. */
  readonly goals: Readonly<Record<string, number>>;
}

interface Load {
  readonly mode: 'pair' | 'fanin' | 'fanout';
  readonly pubs?: number;
  readonly subs?: number;
  readonly qos?: 0 | 1 | 2;
  readonly size?: number;
  readonly window?: number;
  /** Messages per second of all publishers. */
  readonly rate?: number;
}

function shape(
  about: Pick<Shape, 'name' | 'group' | 'description'> & Partial<Pick<Shape, 'door' | 'goals'>>,
  load: Load,
): Shape {
  return {
    door: 'tcp',
    goals: {},
    ...about,
    qos: load.qos ?? 0,
    options: Object.entries(load).flatMap(([option, value]) => [`--${option}`, String(value)]),
  };
}

/**
 * At QoS 1 and 2 a publisher's window closes on the broker's answer, as in life: a broker that answers faster than it
 * can hand on must hold the rest or slow its publishers down. `lost` shows one that does neither. The window at QoS 2 is
 * Mosquitto's default of 20 in flight: beyond it Mosquitto 2.0.11 drops messages that it has acknowledged.
 */
const pair: Load = { mode: 'pair', pubs: 20, window: 256 };
const fanin: Load = { mode: 'fanin', pubs: 100, qos: 1, window: 8 };
const fanout: Load = { mode: 'fanout', subs: 500, window: 16 };

const batched = { mosquitto: 1 / 8, floor: 1.5 };
const lone = { mosquitto: 1, floor: 1.4 };

const main: readonly Shape[] = [
  shape(
    {
      name: 'pair-qos0',
      group: 'main',
      description: '20 publishers to 20 subscribers, pipelined',
      goals: batched,
    },
    pair,
  ),
  shape(
    { name: 'fanin-qos1', group: 'main', description: '100 publishers to 1 subscriber', goals: batched },
    fanin,
  ),
  shape(
    { name: 'fanout-qos0', group: 'main', description: '1 publisher to 500 subscribers', goals: batched },
    fanout,
  ),
  shape(
    {
      name: 'pair-qos2',
      group: 'main',
      description: '50 publishers to 50 subscribers, pipelined',
      goals: { mosquitto: 1 / 8 },
    },
    { mode: 'pair', pubs: 50, qos: 2, window: 20 },
  ),
  shape(
    {
      name: 'single-qos0',
      group: 'main',
      description: '500 publishers to 500 subscribers, each waits for its message to arrive before the next',
      goals: lone,
    },
    { mode: 'pair', pubs: 500, window: 1 },
  ),
  shape(
    {
      name: 'paced-qos0',
      group: 'main',
      description: '1,000 publishers, 10 messages a second each, to 1 subscriber',
      goals: lone,
    },
    { mode: 'fanin', pubs: 1000, rate: 10_000 },
  ),
];

const more: readonly Shape[] = [
  shape(
    {
      name: 'pair-qos1',
      group: 'more',
      description: '20 publishers to 20 subscribers, pipelined',
      goals: batched,
    },
    { mode: 'pair', pubs: 20, qos: 1, window: 100 },
  ),
  shape(
    {
      name: 'single-qos1',
      group: 'more',
      description: '500 publishers to 500 subscribers, each waits for its acknowledgement before the next',
      goals: lone,
    },
    { mode: 'pair', pubs: 500, qos: 1, window: 1 },
  ),
  shape(
    {
      name: 'paced-qos1',
      group: 'more',
      description: '1,000 publishers, 10 messages a second each, to 1 subscriber',
      goals: lone,
    },
    { mode: 'fanin', pubs: 1000, qos: 1, rate: 10_000 },
  ),
];

/** The shapes that stand for all others where something else is varied. */
export const typical = [
  { name: 'pair-qos0', description: '20 pairs', load: pair },
  { name: 'fanin-qos1', description: '100 to 1', load: fanin },
  { name: 'fanout-qos0', description: '1 to 500', load: fanout },
] as const;

function overDoor(door: 'tls' | 'ws', medium: string, goals: Shape['goals']): readonly Shape[] {
  return typical.map(({ name, description, load }) =>
    shape(
      { name: `${door}-${name}`, group: door, door, description: `${description}, ${medium}`, goals },
      load,
    ),
  );
}

const kib = 1024;

/** Fewer clients and messages under way the larger they are: what waits in queues must stay within a few dozen MiB. */
const payloads: readonly Shape[] = [
  { size: kib, suffix: '1k', text: '1 KiB', loads: [pair, fanin, fanout] },
  {
    size: 64 * kib,
    suffix: '64k',
    text: '64 KiB',
    loads: [
      { ...pair, window: 8 },
      { ...fanin, pubs: 50, window: 2 },
      { ...fanout, subs: 50, window: 4 },
    ],
  },
  {
    size: 1024 * kib,
    suffix: '1m',
    text: '1 MiB',
    loads: [
      { ...pair, pubs: 8, window: 2 },
      { ...fanin, pubs: 10, window: 1 },
      { ...fanout, subs: 20, window: 2 },
    ],
  },
].flatMap(({ size, suffix, text, loads }) =>
  loads.map((load, index) =>
    shape(
      {
        name: `${typical[index]?.name}-${suffix}`,
        group: 'payload',
        description: `${loadText(load)}, payloads of ${text}`,
      },
      { ...load, size },
    ),
  ),
);

function loadText({ mode, pubs = 1, subs = 1 }: Load): string {
  return mode === 'pair' ? `${pubs} pairs` : `${pubs} to ${subs}`;
}

/** All of them, 64 bytes where nothing else is said. */
export const shapes: readonly Shape[] = [
  ...main,
  ...more,
  ...overDoor('tls', 'TLS 1.3', { mosquitto: 1 / 3 }),
  ...overDoor('ws', 'WebSocket', {}),
  ...payloads,
];

/** What mqload is told for one of the typical loads. */
export function optionsOf(load: Load): readonly string[] {
  return shape({ name: '', group: '', description: '' }, load).options;
}
