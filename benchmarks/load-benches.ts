import type { Bench, Column, Contestant } from './bench.ts';
import { adapters } from './brokers/all.ts';
import { davylamp } from './brokers/davylamp.ts';
import { runLoad, withBroker } from './drive.ts';
import { optionsOf, shapes, typical, type Shape } from './shapes.ts';

const cpuKey = 'cpu_us_per_message';

const columns: readonly Column[] = [
  { key: 'received_per_second', title: 'messages/s', digits: 0, form: 'spread' },
  { key: cpuKey, title: 'CPU µs/message', digits: 2, form: 'spread' },
  { key: 'load_cpu_us_per_message', title: "load's CPU µs", digits: 2, form: 'median' },
  { key: 'p50_us', title: 'p50 µs', digits: 0, form: 'median' },
  { key: 'p99_us', title: 'p99 µs', digits: 0, form: 'median' },
  { key: 'rss_kib', title: 'RSS KiB', digits: 0, form: 'median' },
  { key: 'lost', title: 'lost', digits: 0, form: 'sum' },
];

/** Each shape of load: our broker beside the others. */
export const loadBenches: readonly Bench[] = shapes.map((shape) => ({
  name: shape.name,
  group: shape.group,
  description: `${shape.description}${shape.options.includes('--size') ? '' : ', 64 bytes'}, QoS ${shape.qos}`,
  contestants: adapters
    .filter((broker) => broker.maximumQos >= shape.qos && broker.doors.includes(shape.door))
    .map((broker) => ({ label: broker.name, broker, door: shape.door, loadOptions: [] })),
  columns,
  comparison: { key: cpuKey, title: 'CPU, davylamp ÷ this', of: 'first by other' },
  goals: goalsOf(shape),
  measure: (contestant, context) =>
    withBroker(contestant, context, (target) => runLoad(context, target, shape.options)),
}));

function goalsOf(shape: Shape): Bench['goals'] {
  return Object.entries(shape.goals).map(([against, atMost]) => ({
    label: davylamp.name,
    against,
    key: cpuKey,
    atMost,
    text: `CPU per message against ${against}`,
  }));
}

/** As a site's list may be: rules that do not apply, some of them with wildcards, and the one that does at the end. */
const usualRules = [
  ...Array.from({ length: 33 }, (_, n) => `topic readwrite plant/${n}/gas/#`),
  ...Array.from({ length: 33 }, (_, n) => `topic read plant/+/alarm/${n}`),
  ...Array.from({ length: 33 }, (_, n) => `topic write plant/${n}/+/state`),
];
const rulesAtOnce = [...usualRules, 'topic readwrite bench/#'].join('\n');
/** The rule that forbids lies within what is subscribed to: each message has to be judged before it is handed on. */
const rulesPerMessage = [...usualRules.slice(1), 'topic deny bench/secret/#', 'topic readwrite bench/#'].join(
  '\n',
);

const plain: Contestant = { label: 'plain', broker: davylamp, door: 'tcp', loadOptions: [] };
const variants: readonly Contestant[] = [
  plain,
  { ...plain, label: 'MQTT 5', loadOptions: ['--version', '5'] },
  { ...plain, label: 'ACL of 100', accessRules: `${rulesAtOnce}\n` },
  { ...plain, label: 'ACL of 100, judged per message', accessRules: `${rulesPerMessage}\n` },
];
const bounded = ['MQTT 5', 'ACL of 100'];

/** Our broker beside itself: what MQTT 5 and an access list add. */
export const selfBenches: readonly Bench[] = typical.map(({ name, description, load }) => ({
  name: `self-${name}`,
  group: 'self',
  description: `${description}: our broker alone, plain and with MQTT 5 or an access list`,
  contestants: variants,
  columns,
  comparison: { key: cpuKey, title: 'CPU ÷ plain', of: 'other by first' },
  goals: bounded.map((label) => ({
    label,
    against: plain.label,
    key: cpuKey,
    atMost: 1.15,
    text: `CPU per message of ${label} against plain`,
  })),
  measure: (contestant, context) =>
    withBroker(contestant, context, (target) => runLoad(context, target, optionsOf(load))),
}));
