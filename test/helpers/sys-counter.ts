import type { BrokerHarness } from './broker-harness.ts';

/** What `$SYS/broker/<name>` says at its next turn. */
export function sysCounter(harness: BrokerHarness, name: string): number {
  harness.advance(10_000);
  const reader = harness.connect('the reader of counters', { address: 'local' });
  reader.subscribe(`$SYS/broker/${name}`, { qos: 0 });
  const value = Number(reader.takePublish().payload.toString());
  reader.disconnect();
  return value;
}
