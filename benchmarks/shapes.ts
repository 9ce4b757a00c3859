/** A kind of load: what mqload is told, and why it is of interest. */
export interface Shape {
  readonly name: string;
  readonly qos: 0 | 1 | 2;
  /** For people. */
  readonly description: string;
  readonly options: readonly string[];
}

/**
 * At QoS 1 and 2 a publisher's window closes on the broker's answer, as in life: a broker that answers faster than it
 * can hand on must hold the rest or slow its publishers down. `lost` shows one that does neither. The window at QoS 2 is
 * Mosquitto's default of 20 in flight: beyond it Mosquitto 2.0.11 drops messages that it has acknowledged.
 */
export const shapes: readonly Shape[] = [
  {
    name: 'pair-qos0',
    qos: 0,
    description: '20 publishers to 20 subscribers, 64 bytes, QoS 0',
    options: ['--mode', 'pair', '--pubs', '20', '--qos', '0', '--size', '64', '--window', '256'],
  },
  {
    name: 'pair-qos1',
    qos: 1,
    description: '20 publishers to 20 subscribers, 64 bytes, QoS 1',
    options: ['--mode', 'pair', '--pubs', '20', '--qos', '1', '--size', '64', '--window', '100'],
  },
  {
    name: 'fanin-qos1',
    qos: 1,
    description: '100 publishers to 1 subscriber, 64 bytes, QoS 1',
    options: ['--mode', 'fanin', '--pubs', '100', '--qos', '1', '--size', '64', '--window', '8'],
  },
  {
    name: 'fanout-qos0',
    qos: 0,
    description: '1 publisher to 500 subscribers, 64 bytes, QoS 0',
    options: ['--mode', 'fanout', '--subs', '500', '--qos', '0', '--size', '64', '--window', '16'],
  },
  {
    name: 'pair-qos2',
    qos: 2,
    description: '20 publishers to 20 subscribers, 64 bytes, QoS 2',
    options: ['--mode', 'pair', '--pubs', '20', '--qos', '2', '--size', '64', '--window', '20'],
  },
];
